// SegmentDetail: what the records that ended in one segment of the log did to relation files, and
// the transactions among them that look like an accident. Stored beside the segment, readable
// without its data. Filled by the scanner (ScanWishes::detail), read by ChangedPages. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "stores/postgres/block_set.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct RelationId {
  std::uint32_t tablespace = 0, database = 0, filenode = 0;
  auto operator<=>(const RelationId&) const = default;
};

inline constexpr std::uint8_t fork_main = 0, fork_fsm = 1, fork_vm = 2, fork_init = 3;

struct ForkId {
  RelationId relation;
  std::uint8_t fork = fork_main;
  auto operator<=>(const ForkId&) const = default;
};

struct DatabaseId {  // a database's folder in one tablespace
  std::uint32_t tablespace = 0, database = 0;
  auto operator<=>(const DatabaseId&) const = default;
};

struct ForkChanges {
  BlockSet blocks;
  // The lowest length the fork was cut to: what lies at or behind it is not what it was.
  std::optional<std::uint32_t> limit;
  bool operator==(const ForkChanges&) const = default;
};

// A committed transaction that took much away.
struct Suspect {
  struct Rows {
    RelationId relation;
    std::uint64_t deleted = 0, updated = 0;
    bool operator==(const Rows&) const = default;
  };
  std::uint32_t xid = 0;
  Lsn lsn = 0, end_lsn = 0;  // of the commit record
  Timestamp time{};
  // Files that went and came with it. A DROP has none that came; TRUNCATE, VACUUM FULL, CLUSTER and
  // the like have both. The first hundred of each.
  std::vector<RelationId> dropped, created;
  std::uint64_t dropped_count = 0, created_count = 0;
  std::vector<DatabaseId> databases_dropped;  // or moved away
  std::vector<Rows> rows;                     // of relations that lost or changed many
  bool operator==(const Suspect&) const = default;
};

// Where records ended that say something of the server; both 0: there was none.
struct Sighting {
  Lsn first = 0, last = 0;
  void add(Lsn end_lsn) {
    if (last == 0) first = end_lsn;
    last = end_lsn;
  }
  // Was there one behind `from` and not behind `until`?
  bool within(Lsn from, Lsn until) const { return last > from && first <= until; }
  bool operator==(const Sighting&) const = default;
};

struct SegmentDetail {
  // Every record that ends behind complete_from and at or before end_lsn is in here.
  Lsn complete_from = 0, end_lsn = 0;
  std::map<ForkId, ForkChanges> forks;
  std::set<RelationId> created;    // files made anew: all forks
  std::set<DatabaseId> databases;  // made by a copy of files, moved or dropped
  std::set<DatabaseId> maps;       // pg_filenode.map rewritten
  Sighting wal_level_minimal;      // changes were made that the log does not hold
  Sighting wal_log_hints_off;      // a server without checksums did not log hint bits
  bool suspects_complete = true;   // false: too many transactions to watch them all
  std::vector<Suspect> suspects;   // in the order of their commits
  bool operator==(const SegmentDetail&) const = default;
};
Buffer encode(const SegmentDetail& detail);
Result<SegmentDetail> decode_detail(ByteView bytes);

}  // namespace lb::pg
