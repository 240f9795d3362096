// The fingerprint of a cluster: what is in it and how much of it, exactly, at one moment per
// database. Shape: snapshot_details.h. Private to stores/postgres.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/codec/json.h"
#include "foundation/sys/clock.h"
#include "storage/repo/repository.h"
#include "stores/postgres/counted_tables.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

// A cluster may have a hundred thousand tables: they are kept beside the document, and are written
// into its text.
struct Fingerprint {
  Json json;                          // as recorded, with "databases" that have no "tables"
  std::vector<CountedTables> tables;  // of each of these databases
  Lsn lsn = 0;                        // everything counted was written to the log before it
  std::vector<std::string> warnings;

  std::uint64_t carried() const;  // tables
  // The whole document, in pieces. None may be carried still.
  Status write_to(const TakeText& take) const;
};

// What of an earlier fingerprint the next one goes by.
struct CountedBefore {
  Json json;                                // as above
  std::map<std::uint32_t, KnownRows> rows;  // of the tables of each database, by its oid
};
// Nothing when the point has none; invalid when it is none.
Result<std::optional<CountedBefore>> read_counted(repo::SnapshotReader& snapshot);

// The log up to `lsn` is on the server's disk soon after this returns. With `before`, an earlier
// fingerprint of the cluster, tables that it counted and whose file is the same are not counted:
// they have its rows and are carried, until settle_counts() has added what changed since.
Result<Fingerprint> take_fingerprint(const Secret& conninfo, const std::string& system_identifier,
                                     Clock& clock, const CountedBefore* before,
                                     std::stop_token stop);

// One row of the database asked: how many "tables", "views" … of users it has, by column name.
std::string catalog_query();

}  // namespace lb::pg
