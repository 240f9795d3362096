// Which moments an audit of point-in-time recovery tries: what of the window the repository claims
// to hold, where it cannot go, and a random draw that covers all of it evenly. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/record/drill_record.h"
#include "recovery/restore/points.h"

namespace lb::drill {

struct AuditRange {
  Timestamp from{}, to{};              // closed; to < from: nothing of the window is held
  std::vector<record::AuditGap> gaps;  // in the order of their beginnings
  bool shorter = false;                // the oldest recovery point is younger than the window
  std::string ends_because;            // which store's log ends at `to`
};

// The last `window` before `end`, bounded by the oldest base of every store and by the last commit
// archived, wherever holes are. Files need a snapshot that began when a base was there already: a
// group stands where its files do.
AuditRange audit_range(const std::vector<restore::StorePoints>& stores, Timestamp end,
                       Micros window);

// `count` whole seconds, one in each equal part of the range (fewer when it has fewer seconds), and
// one moment in every gap that none of them met. In order.
std::vector<Timestamp> draw_moments(const AuditRange& range, std::uint64_t count,
                                    std::uint64_t seed);

}  // namespace lb::drill
