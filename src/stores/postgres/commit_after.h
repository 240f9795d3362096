// The first commit behind a place of the log: what a copy restored to that place left out. The
// proof that it left out nothing that it should hold, read anew from the log.
#pragma once

#include <optional>
#include <vector>

#include "stores/postgres/log_index.h"

namespace lb::pg {

// The first commit whose record begins at or behind `from` on the way to `timeline`; none when the
// unbroken log from the snapshot on holds no such commit. Reads segments until it has one.
Result<std::optional<Commit>> first_commit_from(const LogIndex& index,
                                                const SnapshotDetails& snapshot,
                                                std::uint32_t timeline, Lsn from,
                                                repo::Repository& repository);

// All whose records lie between the two places, in order. exhausted when there are more than two
// millions: who asks narrows the range by the summaries of segments first.
Result<std::vector<Commit>> commits_between(const LogIndex& index, const SnapshotDetails& snapshot,
                                            std::uint32_t timeline, Lsn from, Lsn to,
                                            repo::Repository& repository);

}  // namespace lb::pg
