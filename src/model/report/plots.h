// The plots of the drill report as inline SVG. Each has a title and a description for those who do
// not see it, and takes its colours from the page. State is told by shape and word as well as by
// colour. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

// The stages on one shared axis from the start of the drill.
std::string timeline_svg(const record::DrillRecord& record);

// The moments of an audit on one axis over what was audited; stretches out of reach are shaded.
std::string moments_svg(const record::PitrAudit& audit);

struct HistoryPoint {
  Timestamp started{};
  record::Verdict verdict = record::Verdict::inconclusive;
  std::optional<Micros> measured;  // nothing: the drill ended before it could be measured
  std::optional<Micros> target;    // in force at that drill
};

// One measured quantity over the last drills, oldest first, against its objective line.
std::string history_svg(const std::string& title, const std::vector<HistoryPoint>& points);

// An axis from zero to at least `top`: at most `ticks_max` ticks of a size people like.
struct Axis {
  Micros top{0}, step{0};
};
Axis axis_for(Micros top, int ticks_max);
std::string tick_text(Micros value);  // "0", "250 ms", "1 min 30 s"

// A stage as people read it: its store is named when the name does not hold it already.
std::string stage_title(const record::Stage& stage);

}  // namespace lb::report
