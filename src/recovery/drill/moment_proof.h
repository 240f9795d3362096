// The proof that a restored copy stands exactly at a moment: at the last commit at or before it.
// Pure.
#pragma once

#include <optional>

#include "model/record/drill_record.h"
#include "stores/postgres/restore.h"

namespace lb::drill {

struct MomentEvidence {
  Timestamp moment{};
  Timestamp base_taken{};
  pg::RecoveryReached reached;         // by the restored server
  std::optional<pg::Commit> next;      // the first commit in the log behind the place reached
  std::optional<Timestamp> log_until;  // newest commit in the unbroken log
};

// A result of kind "moment"; the caller adds the store and the times.
record::CheckResult judge_moment(const MomentEvidence& evidence);

}  // namespace lb::drill
