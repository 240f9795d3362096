// LogIndex: what the repository holds of one database's log: segments, holes, timelines, windows,
// and whether a wanted point can be reached. Pure once read. Summaries are cached by the caller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/repo/repository.h"
#include "stores/postgres/snapshot_details.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

struct LogHole {
  std::uint32_t timeline = 0;
  std::uint64_t first_segment = 0, last_segment = 0;
  Lsn from = 0, to = 0;
  std::optional<Timestamp> after, before;  // newest commit before and oldest commit after it
};

struct LogPart {  // one stored segment, with its summary
  repo::LogInfo info;
  LogSummary summary;
};

struct LogIndex {
  std::string log_id;
  std::uint64_t segment_bytes = 16 << 20;
  std::vector<LogPart> parts;  // sorted by timeline, segment
  std::vector<LogHole> holes;
  // The timeline history: child -> (parent, switch LSN), from the stored history files.
  struct Switch {
    std::uint32_t timeline = 0, parent = 0;
    Lsn at = 0;
  };
  std::vector<Switch> switches;
};

// Segments before `first_segment` are left out, as if they were not stored.
Result<LogIndex> read_log_index(repo::Repository& repository, const std::string& log_id,
                                std::uint64_t segment_bytes, std::uint64_t first_segment = 0);

// What the user wants to reach.
struct Wanted {
  enum class Kind { latest, snapshot, time, lsn, name, before_commit } kind = Kind::latest;
  Timestamp time{};  // time: last commit at or before it
  Lsn lsn = 0;       // lsn: up to and including the record that ends at or before; before_commit:
                     // everything before the commit record at this LSN (or `xid`)
  std::uint32_t xid = 0;
  std::string name = {};  // named restore point
  std::optional<std::uint32_t> timeline =
      {};  // default: the newest that descends from the snapshot
};

struct RecoveryTarget {  // resolved and proven reachable from the log in the repository
  std::uint32_t timeline = 0;
  Lsn start = 0;  // replay from (the snapshot's start_lsn)
  // recovery_target_lsn. Set for every kind but latest and snapshot, whose time and name are
  // resolved to it (stop_time and stop_name say what was asked). None: replay to `log_end`, where
  // the log stops.
  std::optional<Lsn> stop_lsn;
  std::optional<Timestamp> stop_time;
  std::string stop_name;
  bool inclusive = true;
  bool at_consistency = false;  // stop as soon as the snapshot is consistent; no other stop is set
  Lsn log_end = 0;              // end of the contiguous log from `start`
  std::optional<Commit> last_commit;  // the newest commit this target will reach
  std::vector<repo::LogInfo> needed;  // in replay order; parent timelines first
};

// point_unreachable (exit 14) with the nearest reachable points in the hint: before the window, in
// the future, beyond the last archived commit, inside or beyond a hole, wrong timeline.
Result<RecoveryTarget> resolve(const LogIndex& index, const SnapshotDetails& snapshot,
                               const Wanted& wanted, Timestamp now, repo::Repository& repository);

// The recovery window of a snapshot: from its consistent point to the last commit before a hole.
struct Window {
  Timestamp from{};
  std::optional<Timestamp> to;  // newest commit reachable
  Lsn from_lsn = 0, to_lsn = 0;
};
Window window_of(const LogIndex& index, const SnapshotDetails& snapshot, Timestamp taken);

}  // namespace lb::pg
