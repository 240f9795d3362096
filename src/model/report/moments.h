// The moments of an audit as lines of text, the same for every report. Pure. Private to this
// folder.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

inline constexpr std::size_t moment_cell = 0, store_cell = 1, base_cell = 2, reached_cell = 3,
                             lag_cell = 4, next_cell = 5, replay_cell = 6, took_cell = 7;

// One line a moment and store with a log; a moment that was not restored has one line.
struct MomentLine {
  record::Verdict verdict = record::Verdict::inconclusive;
  std::array<std::string, 8> cells;
  std::string point;   // of the base
  std::string reason;  // when it was not proven; only in the first line of a moment
};
std::vector<MomentLine> moment_lines(const record::PitrAudit& audit);

// What was drawn from what, and how to draw it again.
std::string audit_note(const record::DrillRecord& record);

}  // namespace lb::report
