// LogState: what of a log is stored, what is still to come, and what is gone: found, delayed,
// uploading, lost. Pure. Shown by `wal ls` and judged by `status`.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stores/postgres/log_index.h"
#include "stores/postgres/server_log.h"

namespace lb::archive {

enum class SegmentState {
  found,      // stored
  delayed,    // not stored yet; the server has it and hands it over
  uploading,  // an agent is at it
  lost,       // a hole: later log is stored, and the server does not have it any more
  missing,    // a hole, and the server could not be asked
};
std::string_view name_of(SegmentState state);

// Neighbours in one state.
struct SegmentRun {
  std::uint32_t timeline = 0;
  std::uint64_t first = 0, last = 0;
  SegmentState state = SegmentState::found;
  std::uint64_t count() const { return last - first + 1; }
};

struct LogState {
  std::string log_id;
  std::uint64_t segment_bytes = 16 << 20;
  std::vector<SegmentRun> runs;  // by timeline and segment
  std::uint64_t delayed_bytes = 0;
  std::uint64_t lost = 0, missing = 0;  // segments that matter
  bool whole() const { return lost == 0 && missing == 0; }
};

// `server`: null when it could not be asked. `uploading`: names of segments. `matters_from`: where
// the newest point begins; a hole before it is shown, and no longer counted.
LogState state_of(const pg::LogIndex& index, const pg::ServerLog* server,
                  const std::set<std::string>& uploading, pg::Lsn matters_from);

// How fast the log grows: over the newest hour of commits in it, or what there is of that.
struct LogGrowth {
  double bytes_per_second = 0;
  Micros measured{0};
};
std::optional<LogGrowth> growth_of(const pg::LogIndex& index);

// How long the server's disk lasts when nothing of its log can be removed from now on.
std::optional<Micros> full_after(const LogGrowth& growth, std::uint64_t available_bytes);

}  // namespace lb::archive
