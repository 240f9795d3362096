// Carrier: carries the escalation of incidents on: tells who is to be told next, when it is time.
// Whoever runs has one: `incident watch`, the driver of a run. It can be killed at any moment, and
// several may run at once, on one machine or on many.
//
// On one machine the outbox stores each message once. Between machines a step is claimed in the
// repository before it is told; a claim whose machine tells nothing within two minutes is void, and
// another machine tells. So nobody is passed over, and only a machine that stops for so long
// between its claim and its note lets a person hear the same twice. While the repository cannot be
// reached each machine tells by itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operations/incident/incident_state.h"
#include "operations/notify/postman.h"
#include "storage/state/fact_log.h"

namespace lb::incident {

inline constexpr Micros claim_time = Seconds(120);

// What comes next, for people. `level` is null when the plan does not say what its severity means.
struct Next {
  const plan::EscalationLevel* level = nullptr;
  notify::EscalationPlan plan;
};
// Pure. The zone is that of plan.hours.
Next next_of(const plan::Plan& plan, const IncidentState& state, Timestamp now,
             const notify::WorkTimes& work);

// What people read who are told. Pure.
notify::Letter letter_of(const plan::Plan& plan, const IncidentState& state, Timestamp now);
// Of an answer, or of the end: for those who were told before.
notify::Letter follow_up(const plan::Plan& plan, const IncidentState& state, notify::Event event);

struct CarrierTools {
  World& world;
  const plan::Plan& plan;
  notify::Postman& postman;
  state::FactLog& log;
  std::string host;
  // Names the outbox: of the machine and of its state folder.
  std::string holder;
};

struct Turn {
  std::vector<std::string> told;  // now; whether it reaches them is the postman's
  bool elsewhere = false;         // another machine has claimed what is due
  Next next;
};

// One thread.
class Carrier {
 public:
  explicit Carrier(const CarrierTools& tools);
  // The plan's time zone is unknown here, which keeps nobody from being told; empty: it is known.
  const std::string& zone_trouble() const { return zone_trouble_; }

  // `far`: looks into the repository, which costs a listing.
  Result<Turn> turn(const std::string& incident, bool far);

 private:
  Result<bool> mine(const std::string& incident, const std::string& step);

  CarrierTools tools_;
  std::string zone_trouble_;
  notify::WorkTimes work_;
  std::map<std::string, Micros> seen_;  // claims of others -> steady time when first met
};

}  // namespace lb::incident
