// TransactionWatch: finds the transactions that took much away: relations dropped, truncated or
// rewritten, databases dropped, many rows deleted or updated. Fed by the scanner, record by record;
// keeps what open transactions did until their end is known, within a limit.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "stores/postgres/segment_detail.h"
#include "stores/postgres/wal_record.h"

namespace lb::pg {

class TransactionWatch {
 public:
  // As many rows of one relation in one transaction are worth telling.
  static constexpr std::uint64_t rows_many = 1000;

  void rows(std::uint32_t xid, const RelationId& relation, std::uint64_t deleted,
            std::uint64_t updated);
  void created(std::uint32_t xid, const RelationId& relation);
  void database_dropped(std::uint32_t xid, const DatabaseId& database);
  void ended(const TransactionEnd& end, Lsn lsn, Lsn end_lsn);
  // No transaction below `oldest` is still open: what is kept of such was lost in a crash.
  void forget_below(std::uint32_t oldest);

  // What was found since the last take.
  std::vector<Suspect> take(bool& complete);

 private:
  struct Open {
    std::vector<Suspect::Rows> rows;  // that met last stands last
    std::vector<RelationId> created;
    std::uint64_t created_count = 0;
    std::vector<DatabaseId> databases_dropped;
  };
  Open* open_of(std::uint32_t xid);
  static void add_rows(Open& open, const Suspect::Rows& more);
  static void join(Open& whole, Open&& part);

  std::unordered_map<std::uint32_t, Open> open_;  // by (sub)transaction
  std::uint32_t newest_xid_ = 0;
  Open* newest_ = nullptr;  // of newest_xid_: rows come in runs
  std::size_t held_ = 0;    // transactions and their relations
  bool complete_ = true;
  std::vector<Suspect> found_;
};

}  // namespace lb::pg
