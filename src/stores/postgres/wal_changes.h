// ChangeCollector: from the records of the log, one by one, the detail of each segment: changed
// blocks, files made, cut or copied unseen, and suspicious transactions. Fed by the scanner.
#pragma once

#include <array>
#include <vector>

#include "stores/postgres/segment_detail.h"
#include "stores/postgres/transaction_watch.h"
#include "stores/postgres/wal_record.h"

namespace lb::pg {

class ChangeCollector {
 public:
  // Records that end at or before `start` are not seen.
  explicit ChangeCollector(Lsn start) { detail_.complete_from = start; }
  // What was missed of a record that began before the start ended here.
  void missed_until(Lsn lsn) { detail_.complete_from = lsn; }
  Status add(const RecordHeader& header, ByteView record, int version, Lsn end_lsn);
  void ended(const TransactionEnd& end, Lsn lsn, Lsn end_lsn) {
    transactions_.ended(end, lsn, end_lsn);
  }
  // What came since the last take; `end_lsn`: the end of the last whole record.
  SegmentDetail take(Lsn end_lsn);

 private:
  struct Recent {
    ForkId fork;
    std::uint32_t block = 0;
    bool used = false;
  };
  static constexpr std::size_t recent_count = 4096;

  void note(const BlockReference& reference);
  void read_heap(const RecordHeader& header, const RecordBody& body);
  Status read_xlog(const RecordHeader& header, ByteView main, int version, Lsn end_lsn);
  Status read_storage(const RecordHeader& header, ByteView main);
  Status read_database(const RecordHeader& header, ByteView main, int version);
  Status read_map(ByteView main);
  void cut(const ForkId& fork, std::uint32_t limit);

  SegmentDetail detail_;
  TransactionWatch transactions_;
  std::vector<BlockReference> references_;  // of the record at hand
  // Most references repeat one of the last: found here at the price of one cache line.
  std::array<Recent, recent_count> recent_{};
  const ForkId* newest_fork_ = nullptr;
  ForkChanges* newest_ = nullptr;
};

}  // namespace lb::pg
