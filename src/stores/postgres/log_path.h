// LogPath: the unbroken run of log from a snapshot's start along one timeline's descent. Pure. Used
// by resolve() and window_of() to say what can be reached.
#pragma once

#include <optional>
#include <vector>

#include "stores/postgres/log_index.h"

namespace lb::pg {

// The segment is kept, and its records are not understood: replay cannot get past it.
bool cannot_be_read(const LogPart& part);

struct LogPath {
  std::uint32_t timeline = 0;         // the target's
  std::vector<const LogPart*> parts;  // in replay order, without a gap; point into the index
  Lsn end = 0;                        // end of the last whole record
  std::optional<LogHole> hole;  // what follows `end`, when later log of this descent is stored
  std::optional<Commit> last_commit() const;
  std::optional<Timestamp> newest_time() const;  // the latest commit time, whatever the order
};

// point_unreachable when `timeline` does not descend from the snapshot.
Result<LogPath> trace_path(const LogIndex& index, const SnapshotDetails& snapshot,
                           std::uint32_t timeline);

// The newest timeline of the index that descends from the snapshot (its own when there is no
// other).
std::uint32_t newest_descendant(const LogIndex& index, const SnapshotDetails& snapshot);

// Holes of the whole index, every timeline by itself.
std::vector<LogHole> find_holes(const LogIndex& index);

}  // namespace lb::pg
