// Escalation: who is told next about an incident that nobody has acknowledged, and when. A fold
// over what has happened so far, so that it goes on after a restart on any machine. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "operations/notify/work_times.h"

namespace lb::notify {

struct EscalationStep {
  Micros within{0};             // time to answer
  std::vector<std::string> to;  // people, teams, "all"
};
// The steps of one round: `to`, then `then:`; without it the deputies of those before, then those
// whom they escalate to, as long as there is somebody new.
std::vector<EscalationStep> steps_of(const plan::Plan& plan, const plan::EscalationLevel& level);

struct IncidentEvent {
  // opened: also again, or with another level: all begins anew. told: `step` was told.
  enum class Kind { opened, told, acknowledged, closed } kind = Kind::opened;
  Timestamp at{};
  std::string step;
};

struct EscalationPlan {
  enum class Act {
    tell,    // at `due`, which may have passed
    wait,    // the last was told: nobody answered unless they do until `due`
    silent,  // everybody was told as often as the plan says, and nobody answered
    over,    // acknowledged or closed, or never opened
  } act = Act::over;
  Timestamp due{};
  std::vector<std::string> to;
  std::string step;  // "P0.1.2": round 1, second step; names the message
};

// What has not been told in time, because nothing ran or the clock jumped, is told now, one step at
// a time: nobody is passed over, and nobody gets many at once.
EscalationPlan plan_escalation(const plan::EscalationLevel& level,
                               const std::vector<EscalationStep>& steps,
                               std::span<const IncidentEvent> events, Timestamp now,
                               const WorkTimes& work);

}  // namespace lb::notify
