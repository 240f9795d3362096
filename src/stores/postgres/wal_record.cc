#include "stores/postgres/wal_record.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/wal_bytes.h"
#include "stores/postgres/wal_crc.h"

namespace lb::pg {

namespace {

constexpr std::int64_t micros_1970_to_2000 = 946'684'800'000'000;
// A body time outside these years is damage that happened before the checksum was made.
constexpr std::int64_t micros_2000_to_2200 = 200LL * 366 * 86400 * 1'000'000;

Error bad(const char* what) { return Error(ErrorKind::corrupt, what); }

// The microseconds PostgreSQL stores, or nothing when they cannot be a time.
std::optional<Timestamp> read_time(WalCursor& cursor) {
  auto raw = cursor.take<std::int64_t>();
  if (!cursor.ok() || raw < -micros_1970_to_2000 || raw > micros_2000_to_2200) return std::nullopt;
  return from_micros(raw + micros_1970_to_2000);
}

// Block references of one record: one may mean the relation of the one before.
struct BlockWalk {
  RecordBody& body;
  std::vector<BlockReference>* references;
  RelationId relation = {};
  bool has_relation = false;
  std::uint64_t payload = 0;  // bytes of what they store later in the record
};

Status read_block(WalCursor& cursor, std::uint8_t id, int version, BlockWalk& walk) {
  auto fork_flags = cursor.take<std::uint8_t>();
  const auto fork = static_cast<std::uint8_t>(fork_flags & 0x0f);
  walk.payload += cursor.take<std::uint16_t>();
  if ((fork_flags & 0x10) != 0) {
    walk.payload += cursor.take<std::uint16_t>();
    cursor.take<std::uint16_t>();
    auto image = cursor.take<std::uint8_t>();
    // Up to 14: hole 1, compressed 2, apply 4. From 15: hole 1, apply 2, and three ways to
    // compress.
    bool compressed = version <= 14 ? (image & 2) != 0 : (image & (4 | 8 | 16)) != 0;
    if (compressed && (image & 1) != 0) cursor.take<std::uint16_t>();
  }
  if ((fork_flags & 0x80) == 0) {  // else: the relation of the block before
    RelationId relation;
    relation.tablespace = cursor.take<std::uint32_t>();
    relation.database = cursor.take<std::uint32_t>();
    relation.filenode = cursor.take<std::uint32_t>();
    walk.relation = relation;
    walk.has_relation = true;
    if (id == 0) {
      walk.body.relation = relation;
      walk.body.fork = fork;
    }
  }
  const auto block = cursor.take<std::uint32_t>();
  if (fork > fork_init) return bad("a block of an unknown fork");
  if (!walk.has_relation) return bad("a block of no relation");
  if (walk.references != nullptr) walk.references->push_back({{walk.relation, fork}, block});
  return {};
}

void skip_list(WalCursor& cursor, std::uint64_t item_bytes) {
  auto count = cursor.take<std::uint32_t>();
  cursor.take_bytes(count * item_bytes);
}

void read_dropped(WalCursor& cursor, TransactionEnd& end) {
  const auto count = cursor.take<std::uint32_t>();
  const auto files = cursor.take_bytes(std::uint64_t{count} * 12);
  for (std::size_t at = 0; at < files.size(); at += 12) {
    end.dropped.push_back({load<std::uint32_t>(&files[at]), load<std::uint32_t>(&files[at + 4]),
                           load<std::uint32_t>(&files[at + 8])});
  }
}

// Flags of an xact record that say which parts follow (XACT_XINFO_…).
constexpr std::uint32_t has_database = 1, has_children = 2, has_files = 4, has_invalidations = 8,
                        has_prepared = 16, has_statistics = 256;

void read_xact_parts(WalCursor& cursor, std::uint32_t parts, int version, TransactionEnd& end) {
  if ((parts & has_database) != 0) cursor.take_bytes(8);
  if ((parts & has_children) != 0) {
    auto count = cursor.take<std::uint32_t>();
    auto ids = cursor.take_bytes(std::uint64_t{count} * 4);
    for (std::size_t at = 0; at < ids.size(); at += 4) {
      end.children.push_back(load<std::uint32_t>(&ids[at]));
    }
  }
  if ((parts & has_files) != 0) read_dropped(cursor, end);
  if ((parts & has_statistics) != 0) skip_list(cursor, version >= 18 ? 16 : 12);
  if (end.commit && (parts & has_invalidations) != 0) skip_list(cursor, 16);
  if ((parts & has_prepared) != 0) end.xid = cursor.take<std::uint32_t>();
}

}  // namespace

RecordHeader read_record_header(ByteView bytes) {
  RecordHeader header;
  header.total = load<std::uint32_t>(&bytes[0]);
  header.xid = load<std::uint32_t>(&bytes[4]);
  header.previous = load<std::uint64_t>(&bytes[8]);
  header.info = bytes[16];
  header.rmgr = bytes[17];
  header.crc = load<std::uint32_t>(&bytes[20]);
  return header;
}

bool record_crc_ok(ByteView record, std::uint32_t crc) {
  auto value = crc32c_add(crc32c_begin(), record.subspan(record_header_bytes));
  return crc32c_end(crc32c_add(value, record.first(record_header_bytes - 4))) == crc;
}

Result<RecordBody> parse_record_body(ByteView record, int version,
                                     std::vector<BlockReference>* references) {
  RecordBody body;
  WalCursor cursor(record.subspan(record_header_bytes));
  BlockWalk walk{.body = body, .references = references};
  if (references != nullptr) references->clear();
  std::uint64_t main = 0;
  // Headers come first, then all payload in the same order, the main data last.
  for (bool more = true; more && cursor.left() > walk.payload;) {
    auto id = cursor.take<std::uint8_t>();
    switch (id) {
      case 255:
        main = cursor.take<std::uint8_t>();
        more = false;
        break;
      case 254:
        main = cursor.take<std::uint32_t>();
        more = false;
        break;
      case 253:
        cursor.take<std::uint16_t>();
        break;  // replication origin
      case 252:
        cursor.take<std::uint32_t>();
        break;  // top-level transaction
      default:
        if (id > 32) return bad("unknown part of a record");
        LB_TRY(read_block(cursor, id, version, walk));
    }
  }
  if (!cursor.ok() || cursor.left() != walk.payload + main) return bad("lengths do not add up");
  body.main = record.last(main);
  return body;
}

Result<std::optional<TransactionEnd>> parse_transaction_end(const RecordHeader& header,
                                                            ByteView main, int version) {
  auto operation = header.info & xact_operation;
  bool commit = operation == xact_commit || operation == xact_commit_prepared;
  if (!commit && operation != xact_abort && operation != xact_abort_prepared) {
    return std::optional<TransactionEnd>();
  }
  TransactionEnd end;
  end.commit = commit;
  end.xid = header.xid;
  WalCursor cursor(main);
  auto time = read_time(cursor);
  if (!time) return bad("impossible time of a transaction");
  end.time = *time;
  if ((header.info & 0x80) != 0) {
    auto parts = cursor.take<std::uint32_t>();
    read_xact_parts(cursor, parts, version, end);
  }
  if (!cursor.ok()) return bad("end of a transaction cut short");
  return std::optional<TransactionEnd>(std::move(end));
}

Result<RestorePoint> parse_restore_point(ByteView main) {
  RestorePoint point;
  WalCursor cursor(main);
  auto time = read_time(cursor);
  if (!time) return bad("impossible time of a restore point");
  point.time = *time;
  auto name = cursor.take_bytes(cursor.left());
  auto end = std::find(name.begin(), name.end(), std::uint8_t{0});
  if (end == name.end()) return bad("restore point without an end of its name");
  point.name.assign(name.begin(), end);
  return point;
}

Result<RunningTransactions> parse_running_transactions(ByteView main) {
  if (main.size() < 24) return bad("list of running transactions too short");
  return RunningTransactions{load<std::uint32_t>(&main[12]), load<std::uint32_t>(&main[16])};
}

Result<Checkpoint> parse_checkpoint(ByteView main) {
  if (main.size() < 32) return bad("checkpoint too short");
  return Checkpoint{load<std::uint64_t>(&main[0]), load<std::uint32_t>(&main[24])};
}

Result<std::uint32_t> parse_multi_insert_count(ByteView main) {
  if (main.size() < 4) return bad("multi-insert too short");
  return std::uint32_t{load<std::uint16_t>(&main[2])};
}

}  // namespace lb::pg
