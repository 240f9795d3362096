// WAL records: header, checksum, block references, and the few bodies recovery decisions need
// (transaction ends, restore points, running transactions, checkpoints). Pure, bounds-checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

inline constexpr std::size_t record_header_bytes = 24;
// PostgreSQL refuses to write more than 1020 MiB; the rest is head-room for versions before that
// limit.
inline constexpr std::uint32_t record_bytes_max = 1u << 30;

// Resource managers (rmgrlist.h) and the operations read here, the high four bits of info.
inline constexpr std::uint8_t rmgr_xlog = 0, rmgr_xact = 1, rmgr_standby = 8, rmgr_heap2 = 9,
                              rmgr_heap = 10;
inline constexpr std::uint8_t xlog_checkpoint_shutdown = 0x00, xlog_checkpoint_online = 0x10,
                              xlog_switch = 0x40, xlog_restore_point = 0x70;
inline constexpr std::uint8_t xact_commit = 0x00, xact_abort = 0x20, xact_commit_prepared = 0x30,
                              xact_abort_prepared = 0x40, xact_operation = 0x70;
inline constexpr std::uint8_t standby_running_xacts = 0x10;
inline constexpr std::uint8_t heap_insert = 0x00, heap_delete = 0x10, heap2_multi_insert = 0x50,
                              heap_operation = 0x70;

struct RecordHeader {
  std::uint32_t total = 0;  // bytes, header included
  std::uint32_t xid = 0;
  Lsn previous = 0;
  std::uint8_t info = 0, rmgr = 0;
  std::uint32_t crc = 0;
};
// `bytes` holds at least 24.
RecordHeader read_record_header(ByteView bytes);
// The whole record: true when its checksum holds.
bool record_crc_ok(ByteView record, std::uint32_t crc);

struct RecordBody {
  std::optional<RelationId> relation;  // of block reference 0
  std::uint8_t fork = 0;
  ByteView main;  // points into the record
};
struct BlockReference {
  ForkId fork;
  std::uint32_t block = 0;
};
// `version`: 13 to 18. corrupt without LSN: the scanner adds it. `references`, when wished, holds
// all blocks of the record afterwards.
Result<RecordBody> parse_record_body(ByteView record, int version,
                                     std::vector<BlockReference>* references = nullptr);

struct TransactionEnd {
  bool commit = false;
  std::uint32_t xid = 0;  // the transaction that ended; for prepared ones not the record's own
  Timestamp time{};
  std::vector<std::uint32_t> children;
  std::vector<RelationId> dropped;  // files that go with the end
};
// nullopt: another kind of record of this resource manager.
Result<std::optional<TransactionEnd>> parse_transaction_end(const RecordHeader& header,
                                                            ByteView main, int version);
Result<RestorePoint> parse_restore_point(ByteView main);

struct RunningTransactions {
  std::uint32_t next = 0, oldest = 0;
};
Result<RunningTransactions> parse_running_transactions(ByteView main);

struct Checkpoint {
  Lsn redo = 0;
  std::uint32_t next = 0;  // next transaction id when the redo point was chosen
};
Result<Checkpoint> parse_checkpoint(ByteView main);

// Tuples of a heap2 multi-insert.
Result<std::uint32_t> parse_multi_insert_count(ByteView main);

}  // namespace lb::pg
