// Row counts carried on from one fingerprint to the next by what the log says was added and taken
// away since, so that a backup need not read every table to say how many rows it holds. Private to
// stores/postgres.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "foundation/codec/json.h"
#include "storage/repo/repository.h"
#include "stores/postgres/fingerprint.h"
#include "stores/postgres/snapshot_details.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

// Rows added by transactions that the first snapshot does not see and the second does.
using RowsBetween = std::function<Result<std::map<RelationId, std::int64_t>>(
    const std::string& seen, const std::string& as_of)>;
// Makes all counts of the fingerprint its own; `before` is the document it was carried on from.
// unsupported: the log does not tell exactly, and the tables must be counted.
Status settle_counts(Fingerprint& fingerprint, const Json& before, const RowsBetween& between);

// A scanner that has read the log from the start of the snapshot `from` up to `until`.
Result<std::unique_ptr<WalScanner>> scan_rows(repo::Repository& repository,
                                              const SnapshotDetails& from, std::uint32_t timeline,
                                              Lsn until);

}  // namespace lb::pg
