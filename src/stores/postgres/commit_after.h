// The first commit behind a place of the log: what a copy restored to that place left out. The
// proof that it left out nothing that it should hold, read anew from the log.
#pragma once

#include <optional>

#include "stores/postgres/log_index.h"

namespace lb::pg {

// The first commit whose record begins at or behind `from` on the way to `timeline`; none when the
// unbroken log from the snapshot on holds no such commit. Reads segments until it has one.
Result<std::optional<Commit>> first_commit_from(const LogIndex& index,
                                                const SnapshotDetails& snapshot,
                                                std::uint32_t timeline, Lsn from,
                                                repo::Repository& repository);

}  // namespace lb::pg
