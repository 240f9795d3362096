// Standing: how all that the plan protects stands now. `status` shows it, `watch` looks after it.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/watch/finding.h"
#include "storage/state/outbox.h"

namespace lb::cli {

struct StandingLine {
  std::string what, text, state;  // "ok", "overdue", "breached", "never", "ending" and others
  bool good = true;
};

struct Standing {
  std::vector<StandingLine> lines;
  std::vector<watch::Finding> findings;  // the same, in the words of alerts:
  bool good() const;
};
// Events of which a Standing has every subject.
const std::vector<std::string>& events_looked_at_whole();

// Tells of overdue reviews and tasks too, once.
Result<Standing> look_at_all(const Shell& shell, Session& session);
// Tells whom alerts: names of it too, carries what is due, and says what could not go.
Result<Standing> look_and_tell(const Shell& shell, Session& session);

// Parts of it.
Status add_stores(const Shell& shell, Session& session, Standing& out);
void add_places(const Shell& shell, Session& session, Standing& out);     // copies, locks, disks
void add_load(const Shell& shell, Session& session, Standing& out);       // servers, services
Status add_people(const Shell& shell, Session& session, Standing& out);   // incidents, runs, tasks
void add_estimates(const Shell& shell, Session& session, Standing& out);  // of runbooks

// The greatest bound of `what` that is passed, as the plan has it; empty when none is.
std::string passed_bound(const plan::Plan& plan, const std::string& what, double measured);

// What waits in the outbox, since when, and what could not be delivered; drafts that wait.
Status add_messages(const Shell& shell, state::Outbox& outbox, Standing& out);

}  // namespace lb::cli
