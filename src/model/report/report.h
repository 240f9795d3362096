// Reports: records in, text out. Pure. The HTML is one self-contained page (no outside reference)
// that prints well and follows the reader's dark or light mode; plots are inline SVG.
#pragma once

#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

// `history`: earlier records of the same drill, oldest first (at most the last 12 are shown).
std::string drill_html(const record::DrillRecord& record,
                       const std::vector<record::DrillRecord>& history);
std::string drill_markdown(const record::DrillRecord& record,
                           const std::vector<record::DrillRecord>& history);
std::string drill_json(const record::DrillRecord& record);
// What a drill leaves to do: what its runbook shows, and whatever failed or came near a limit.
std::vector<record::DrillTask> tasks_left_by(const record::DrillRecord& record);
// The verdict table for a terminal: per store recovery point, measured loss, restore time, checks.
std::string drill_table(const record::DrillRecord& record, bool color);

}  // namespace lb::report
