// The rule `first: OTHER` of a target: what goes there must have been restored in the other one and
// have passed its checks, not long ago. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::swap {

struct WantedProof {
  std::string store;
  std::string snapshot;
  // The moment that is to be reached with it, as StoreResult has it; a drill that reached another
  // one proved something else. Nothing: any will do.
  std::optional<Timestamp> reached;
  std::string target;  // where it must have been tried
  Micros within{0};    // how long ago at most
};

struct Proof {
  bool proven = false;
  std::string drill;  // its id, when proven
  Timestamp ended{};
  std::string reason;  // why not: the nearest miss, for people
};
// A drill counts when it passed, in that target, with at least one check of the store, and ended
// within the time; of an audit, each moment that passed counts by itself.
Proof proven_elsewhere(const std::vector<record::DrillRecord>& drills, const WantedProof& wanted,
                       Timestamp now);

}  // namespace lb::swap
