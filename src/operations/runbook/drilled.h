// What a drill of a runbook says of its people: who has a part in it, what was decided, what is
// left to do. And what its steps took before. Pure.
#pragma once

#include "operations/runbook/forecast.h"
#include "operations/runbook/post_mortem.h"

namespace lb::runbook {

// Into the record of the drill: its roles, decisions and tasks.
void describe_people(const plan::Plan& plan, const Script& script, const RunState& state,
                     const std::vector<record::RunEvent>& events, record::DrillRecord& record);

// Beside what each step took, what it took before.
void add_predictions(const Forecast& before, record::DrillRecord& record);

}  // namespace lb::runbook
