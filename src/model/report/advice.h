// Advice: what a drill's findings ask for, each with what was seen, why it matters and what to do.
// When anything failed or came near a limit there are at least three pieces. Pure. Private to this
// folder.
#pragma once

#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

struct Advice {
  std::string severity;  // "failure", "warning", "note"
  std::string what, why, action;
};

// `history`: earlier records of the drill, oldest first.
std::vector<Advice> advice_for(const record::DrillRecord& record,
                               const std::vector<record::DrillRecord>& history);

}  // namespace lb::report
