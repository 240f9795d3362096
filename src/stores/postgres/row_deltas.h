// RowCounter: rows inserted minus deleted per relation, kept by transaction until its end is known.
// Fed by the scanner, record by record; answers which rows a later point holds more than a snapshot
// saw.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "stores/postgres/wal_record.h"

namespace lb::pg {

class RowCounter {
 public:
  void add(std::uint32_t xid, const RelationId& relation, std::int64_t rows);
  void ended(const TransactionEnd& end, Lsn end_lsn);
  // From a list of running transactions or a checkpoint: everything from `next` on began after it.
  void next_known(std::uint32_t next);
  // No transaction below `oldest` is still open: what is kept of such was lost in a crash.
  void forget_below(std::uint32_t oldest);

  // See WalScanner::row_deltas.
  Result<std::map<RelationId, std::int64_t>> total(const std::string& snapshot, Lsn until,
                                                   const std::string& as_of) const;

 private:
  struct Delta {
    std::uint32_t relation = 0;  // index into relations_
    std::int64_t rows = 0;
  };
  using Deltas = std::vector<Delta>;
  struct Ended {
    Lsn end_lsn = 0;
    std::uint32_t xid = 0;
    std::uint32_t first = 0, count = 0;  // in kept_
  };
  std::uint32_t index_of(const RelationId& relation);

  std::map<RelationId, std::uint32_t> index_;
  std::vector<RelationId> relations_;
  std::optional<std::pair<RelationId, std::uint32_t>> newest_relation_;
  std::unordered_map<std::uint32_t, Deltas> open_;  // by (sub)transaction
  std::vector<Ended> committed_;
  Deltas kept_;
  bool overflow_ = false;
  std::optional<std::uint32_t> first_next_;
};

}  // namespace lb::pg
