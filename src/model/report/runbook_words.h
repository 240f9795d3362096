// What the reports of a drill say of its runbook and of its people, in words. Pure. Private to this
// folder but for the tasks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

std::string duration_or_dash(const std::optional<Micros>& time);
// "2, 5": the steps of a role; who acted in it.
std::string numbers_of(const record::DrilledRole& role);
std::string acted_of(const record::DrilledRole& role);
std::string decision_text(const record::DrilledDecision& decision);
// One sentence: the sum over the steps of which both are known.
std::string predicted_against_real(const record::DrillRecord& record);
std::string owner_text(const record::DrillTask& task);

}  // namespace lb::report
