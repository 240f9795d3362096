// LockWatch: when the locks of what points need begin to end, in a place where nobody can delete
// objects for a time. To be exact, every object would have to be asked, one request each. Instead:
// what the last prune (or copy sync) found out about all of them, as the journal tells, and the
// true locks of a sample. What was put after that run is locked for longer. Where no such run is
// known the sample speaks alone; it may see the end late by half the period at most, since every
// run that extends keeps each lock above that. Used by status and doctor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"

namespace lb::cli {

struct LockSample {
  std::vector<repo::SnapshotInfo> points;
  std::vector<std::string> packs;  // of those; may be empty
};
// The first end of all that is asked: `repo`, key slots, and of each list some, from its oldest to
// its newest. What is not there is passed over. nullopt: nothing is there.
Result<std::optional<Timestamp>> first_lock_end(BlobStore& blobs, const LockSample& sample,
                                                std::stop_token stop);
// What the last run of the act that extended locks said of all it looked at.
Result<std::optional<Timestamp>> last_known_end(state::Journal& journal, const std::string& act);

struct LockJudgement {
  std::string state = "ok";  // "ending": less than a quarter of the period is left; "ended"
  std::string text;
};
LockJudgement judge_locks(std::optional<Timestamp> first_end, Micros period,
                          const std::string& verb, Timestamp now);

}  // namespace lb::cli
