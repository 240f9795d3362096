#include "operations/incident/clocks.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "operations/incident/symptoms.h"

namespace lb::incident {

namespace {

const plan::Runbook* with_target(const plan::Plan& plan, const std::string& name) {
  const auto* found = plan.runbook(name);
  return found != nullptr && found->objective.rto ? found : nullptr;
}

const plan::Runbook* ruling_runbook(const plan::Plan& plan, const IncidentState& state) {
  for (auto run = state.runs.rbegin(); run != state.runs.rend(); ++run) {
    if (const auto* found = with_target(plan, run->runbook)) return found;
  }
  if (!state.runs.empty()) return nullptr;
  for (const auto& one : suggest(plan, state.symptoms)) {
    if (const auto* found = with_target(plan, one.runbook)) return found;
  }
  return nullptr;
}

}  // namespace

Micros lasted(const IncidentState& state, Timestamp now) {
  const auto end = state.closed ? state.closed->at : now;
  return std::max(end - state.since(), Micros(0));
}

std::optional<Countdown> countdown_of(const plan::Plan& plan, const IncidentState& state,
                                      Timestamp now) {
  Countdown out;
  if (const auto* runbook = ruling_runbook(plan, state)) {
    out.target = *runbook->objective.rto;
    out.of = cat("runbook ", runbook->name);
  } else if (plan.objectives.rto) {
    out.target = *plan.objectives.rto;
    out.of = "the system";
  } else {
    return std::nullopt;
  }
  out.left = out.target - lasted(state, now);
  return out;
}

}  // namespace lb::incident
