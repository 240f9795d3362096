// Alerts: tells whom `alerts:` of the plan names of what has become wrong, once, and of its end,
// once. Whoever finds something calls it, on any machine, as often as it likes.
//
// Whether people know is kept as facts in the repository, so that machines agree; a change is
// claimed there before it is told (incident/claims.h). On one machine the outbox stores each
// message once, so that nobody hears twice of what was told by a program that was killed before it
// had noted it. While the repository cannot be reached each machine tells by itself.
#pragma once

#include <string>
#include <vector>

#include "operations/notify/postman.h"
#include "operations/watch/alert_state.h"
#include "operations/watch/finding.h"
#include "storage/state/fact_log.h"

namespace lb::watch {

// A finding as the plan hears it: one for each event, one for each bound of what is measured.
struct Alarm {
  std::string id, event, subject, text;
  std::string bound;  // "80%"
  bool wrong = false;
  // What was wrong is right again only clearly below its bound, or it would come and go.
  bool clearly_right = true;
  notify::Severity severity = notify::Severity::info;
  std::vector<std::string> to;
};
// Pure. Nothing of what nobody is told of.
std::vector<Alarm> alarms_of(const plan::Plan& plan, const std::vector<Finding>& findings);

// Pure. `times`: how often it was raised, this time included.
notify::Letter letter_of(const plan::Plan& plan, const Alarm& alarm, std::uint64_t times,
                         Timestamp now);

struct AlertTools {
  World& world;
  const plan::Plan& plan;
  notify::Postman& postman;
  state::FactLog& log;  // of the family "alert"
  std::string host;
  std::string holder;  // names the outbox: of the machine and of its state folder
};

// `looked_at_all_of`: events of which every subject is among the findings; one that people know of
// and that is not there has ended with its subject. Into the outbox; gives what was told now, one
// line each. What cannot be told keeps nobody from the rest; the first error comes back at the end.
Result<std::vector<std::string>> tell(const AlertTools& tools, const std::vector<Finding>& findings,
                                      const std::vector<std::string>& looked_at_all_of = {});

}  // namespace lb::watch
