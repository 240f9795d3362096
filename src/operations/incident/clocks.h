// The clocks of an incident: how long it has lasted, how much of the promised time is left. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operations/incident/incident_state.h"

namespace lb::incident {

// A target RTO, counted from state.since() to the end of the incident.
struct Countdown {
  Micros target{0}, left{0};  // left: below 0 when it is missed
  std::string of;             // "runbook db-loss", "the system"
};
// Of the runbook that was run last; before one was run, of the one whose symptoms fit best and that
// has a target; else the system's. Nothing: no target is known.
std::optional<Countdown> countdown_of(const plan::Plan& plan, const IncidentState& state,
                                      Timestamp now);

// From since() to the end, or to now; never below 0.
Micros lasted(const IncidentState& state, Timestamp now);

}  // namespace lb::incident
