// What retention removes from a repository, on record before it is gone: points, and segments of
// logs. Frees no pack: what forgotten points alone needed is garbage for the Collector. Used by
// prune, hold and unhold.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/ledger.h"

namespace lb::repo {

// All or none. conflict: one of them has been held meanwhile. `now` decides which holds still hold.
Status forget(const Core& core, const std::vector<std::string>& sessions, Timestamp now);

struct LogRemoval {
  std::uint64_t objects = 0, bytes = 0;
  std::uint64_t locked = 0;  // objects that nobody can delete yet: for a later run
};
// Also removes what an interrupted run left of earlier ranges.
Result<LogRemoval> remove_logs(const Core& core,
                               const std::map<std::string, std::vector<LogRange>>& ranges);

// not_found (exit 14): there is no such point, or it was forgotten.
Status hold_point(const Core& core, const std::string& session, const Hold& hold);
// False: it was not held.
Result<bool> unhold_point(const Core& core, const std::string& session);

}  // namespace lb::repo
