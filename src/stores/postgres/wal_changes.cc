#include "stores/postgres/wal_changes.h"

#include <algorithm>

#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

// Resource managers and operations (storage_xlog.h, dbcommands_xlog.h, relmapper.h, pg_control.h).
constexpr std::uint8_t rmgr_storage = 2, rmgr_database = 4, rmgr_map = 7, rmgr_spgist = 16;
constexpr std::uint8_t storage_create = 0x10, storage_truncate = 0x20;
constexpr std::uint8_t xlog_parameter_change = 0x60, xlog_checkpoint_redo = 0xE0;
constexpr std::uint8_t heap_update = 0x20, heap_hot_update = 0x40;
constexpr std::uint32_t truncate_main = 1, truncate_vm = 2, truncate_fsm = 4;
// Kinds of records of the resource manager Database; up to 14 there is one way to create.
constexpr std::uint8_t database_drop_14 = 0x10, database_drop_15 = 0x20;
constexpr std::uint32_t level_minimal = 0;

Error bad(const char* what) { return Error(ErrorKind::corrupt, what); }

RelationId take_relation(WalCursor& cursor) {
  RelationId relation;
  relation.tablespace = cursor.take<std::uint32_t>();
  relation.database = cursor.take<std::uint32_t>();
  relation.filenode = cursor.take<std::uint32_t>();
  return relation;
}

std::size_t slot_of(const BlockReference& reference, std::size_t slots) {
  const auto mixed = reference.fork.relation.filenode * 0x9E3779B1u + reference.fork.fork +
                     reference.block * 0x85EBCA6Bu;
  return (mixed ^ mixed >> 15) % slots;
}

}  // namespace

Status ChangeCollector::add(const RecordHeader& header, ByteView record, int version, Lsn end_lsn) {
  auto body = LB_TRY(parse_record_body(record, version, &references_));
  for (const auto& reference : references_) note(reference);
  // An insertion also writes to the index's first page where it found room, and logs nothing of it.
  if (header.rmgr == rmgr_spgist && !references_.empty()) note({references_.front().fork, 0});
  switch (header.rmgr) {
    case rmgr_heap:
      read_heap(header, body);
      return {};
    case rmgr_xlog:
      return read_xlog(header, body.main, version, end_lsn);
    case rmgr_storage:
      return read_storage(header, body.main);
    case rmgr_database:
      return read_database(header, body.main, version);
    case rmgr_map:
      return read_map(body.main);
    case rmgr_standby: {
      if ((header.info & 0xf0) != standby_running_xacts) return {};
      auto running = LB_TRY(parse_running_transactions(body.main));
      transactions_.forget_below(running.oldest);
      return {};
    }
    default:
      return {};
  }
}

void ChangeCollector::note(const BlockReference& reference) {
  auto& recent = recent_[slot_of(reference, recent_count)];
  if (recent.used && recent.block == reference.block && recent.fork == reference.fork) return;
  recent = {reference.fork, reference.block, true};
  if (newest_fork_ == nullptr || *newest_fork_ != reference.fork) {
    auto place = detail_.forks.try_emplace(reference.fork).first;
    newest_fork_ = &place->first;
    newest_ = &place->second;
  }
  newest_->blocks.add(reference.block);
}

void ChangeCollector::cut(const ForkId& fork, std::uint32_t limit) {
  auto& known = detail_.forks[fork].limit;
  known = known ? std::min(*known, limit) : limit;
}

void ChangeCollector::read_heap(const RecordHeader& header, const RecordBody& body) {
  const auto operation = header.info & heap_operation;
  const bool deletes = operation == heap_delete;
  const bool updates = operation == heap_update || operation == heap_hot_update;
  if (body.relation && (deletes || updates)) {
    transactions_.rows(header.xid, *body.relation, deletes ? 1 : 0, updates ? 1 : 0);
  }
}

// wal_level stands in parameter changes and, from 17 on, in what begins a checkpoint too.
Status ChangeCollector::read_xlog(const RecordHeader& header, ByteView main, int version,
                                  Lsn end_lsn) {
  WalCursor cursor(main);
  switch (header.info & 0xf0) {
    case xlog_parameter_change: {
      cursor.take_bytes(20);  // connections, processes, senders, prepared transactions, locks
      const auto level = cursor.take<std::uint32_t>();
      const auto log_hints = cursor.take<std::uint8_t>();
      if (!cursor.ok()) return bad("parameter change cut short");
      if (level == level_minimal) detail_.wal_level_minimal.add(end_lsn);
      if (log_hints == 0) detail_.wal_log_hints_off.add(end_lsn);
      return {};
    }
    case xlog_checkpoint_redo: {
      if (version < 17) return {};
      const auto level = cursor.take<std::uint32_t>();
      if (!cursor.ok()) return bad("begin of a checkpoint cut short");
      if (level == level_minimal) detail_.wal_level_minimal.add(end_lsn);
      return {};
    }
    default:
      return {};
  }
}

// A file of any fork that was created makes the whole relation new. The maps of free space and
// visibility are cut to lengths that follow from the main fork's: told as cut to nothing.
Status ChangeCollector::read_storage(const RecordHeader& header, ByteView main) {
  WalCursor cursor(main);
  const auto operation = header.info & 0xf0;
  if (operation == storage_create) {
    const auto relation = take_relation(cursor);
    if (!cursor.ok()) return bad("creation of a file cut short");
    detail_.created.insert(relation);
    if (header.xid != 0) transactions_.created(header.xid, relation);
  } else if (operation == storage_truncate) {
    const auto limit = cursor.take<std::uint32_t>();
    const auto relation = take_relation(cursor);
    const auto forks = cursor.take<std::uint32_t>();
    if (!cursor.ok()) return bad("truncation of a file cut short");
    if ((forks & truncate_main) != 0) cut({relation, fork_main}, limit);
    if ((forks & truncate_vm) != 0) cut({relation, fork_vm}, 0);
    if ((forks & truncate_fsm) != 0) cut({relation, fork_fsm}, 0);
  }
  return {};
}

// However a database was made, nothing of it was there before; a copy of files is not in the log.
// One that was dropped may come again under its number.
Status ChangeCollector::read_database(const RecordHeader& header, ByteView main, int version) {
  WalCursor cursor(main);
  const auto operation = header.info & 0xf0;
  const auto database = cursor.take<std::uint32_t>();
  if (operation != (version <= 14 ? database_drop_14 : database_drop_15)) {
    const auto tablespace = cursor.take<std::uint32_t>();
    if (!cursor.ok()) return bad("creation of a database cut short");
    detail_.databases.insert({tablespace, database});
    return {};
  }
  const auto count = cursor.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && cursor.ok(); ++i) {
    const DatabaseId gone{cursor.take<std::uint32_t>(), database};
    if (!cursor.ok()) break;
    detail_.databases.insert(gone);
    transactions_.database_dropped(header.xid, gone);
  }
  return cursor.ok() ? Status() : Status(bad("removal of a database cut short"));
}

Status ChangeCollector::read_map(ByteView main) {
  WalCursor cursor(main);
  const auto database = cursor.take<std::uint32_t>();
  const auto tablespace = cursor.take<std::uint32_t>();
  if (!cursor.ok()) return bad("relation map cut short");
  detail_.maps.insert({tablespace, database});
  return {};
}

SegmentDetail ChangeCollector::take(Lsn end_lsn) {
  SegmentDetail taken = std::move(detail_);
  detail_ = {};
  taken.end_lsn = std::max(end_lsn, taken.complete_from);
  detail_.complete_from = taken.end_lsn;
  taken.suspects = transactions_.take(taken.suspects_complete);
  recent_.fill({});
  newest_fork_ = nullptr;
  newest_ = nullptr;
  return taken;
}

}  // namespace lb::pg
