#include "stores/postgres/synthetic_wal.h"

#include <algorithm>

#include "stores/postgres/wal_bytes.h"
#include "stores/postgres/wal_crc.h"
#include "stores/postgres/wal_page.h"
#include "stores/postgres/wal_record.h"

namespace lb::pg {

namespace {

constexpr std::int64_t micros_1970_to_2000 = 946'684'800'000'000;

Buffer with_main(const Buffer& main) {
  Buffer body;
  ByteWriter writer(body);
  if (main.size() < 256) {
    writer.u8(255);
    writer.u8(static_cast<std::uint8_t>(main.size()));
  } else {
    writer.u8(254);
    writer.u32(static_cast<std::uint32_t>(main.size()));
  }
  writer.raw(main);
  return body;
}

Buffer transaction_end(Timestamp time, const std::vector<std::uint32_t>& children,
                       std::uint32_t prepared) {
  Buffer main;
  ByteWriter writer(main);
  writer.u64(static_cast<std::uint64_t>(to_micros(time) - micros_1970_to_2000));
  writer.u32((children.empty() ? 0u : 2u) | 1u | 8u | (prepared != 0 ? 16u : 0u));
  writer.u64(0x0000066300004000);  // database and tablespace
  if (!children.empty()) {
    writer.u32(static_cast<std::uint32_t>(children.size()));
    for (auto child : children) writer.u32(child);
  }
  writer.u32(2);  // invalidation messages
  writer.raw(Buffer(32, 0xab));
  if (prepared != 0) writer.u32(prepared);
  return with_main(main);
}

}  // namespace

SyntheticWal::SyntheticWal(Lsn start, std::uint32_t timeline)
    : start_(start), timeline_(timeline) {}

void SyntheticWal::page_header(std::size_t remaining, std::uint16_t flags) {
  bool is_long = end() % segment_bytes == 0;
  auto address = end();
  ByteWriter writer(bytes_);
  writer.u16(0xD110);
  writer.u16(static_cast<std::uint16_t>(flags | (remaining > 0 ? 1 : 0) | (is_long ? 2 : 0)));
  writer.u32(timeline_);
  writer.u64(address);
  writer.u32(static_cast<std::uint32_t>(remaining));
  writer.u32(0);
  if (!is_long) return;
  writer.u64(system_identifier);
  writer.u32(segment_bytes);
  writer.u32(wal_page_bytes);
}

void SyntheticWal::put(ByteView bytes, std::size_t limit) {
  while (!bytes.empty()) {
    if (end() % wal_page_bytes == 0) page_header(bytes.size(), 0);
    auto room = static_cast<std::size_t>(wal_page_bytes - end() % wal_page_bytes);
    auto part = std::min(room, bytes.size());
    ByteWriter(bytes_).raw(bytes.first(part));
    bytes = bytes.subspan(part);
    if (limit == 0) return;
  }
}

Lsn SyntheticWal::record(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid,
                         const Buffer& body) {
  while (end() % 8 != 0) bytes_.push_back(0);
  if (end() % wal_page_bytes == 0) page_header(0, 0);
  Buffer record;
  ByteWriter writer(record);
  writer.u32(static_cast<std::uint32_t>(record_header_bytes + body.size()));
  writer.u32(xid);
  writer.u64(previous_);
  writer.u8(info);
  writer.u8(rmgr);
  writer.u16(0);
  auto crc = crc32c_add_portable(crc32c_begin(), body);
  writer.u32(crc32c_end(crc32c_add_portable(crc, record)));
  writer.raw(body);
  previous_ = end();
  put(record, 1);
  auto at = previous_;
  while (end() % 8 != 0) bytes_.push_back(0);
  return at;
}

Lsn SyntheticWal::filler(std::size_t main_bytes) {
  Buffer main(main_bytes);
  for (std::size_t i = 0; i < main_bytes; ++i)
    main[i] = static_cast<std::uint8_t>(i * 7 + main_bytes);
  return record(21, 0, 0, with_main(main));  // logical message
}

Lsn SyntheticWal::commit(std::uint32_t xid, Timestamp time,
                         const std::vector<std::uint32_t>& children) {
  return record(rmgr_xact, xact_commit | 0x80, xid, transaction_end(time, children, 0));
}
Lsn SyntheticWal::commit_prepared(std::uint32_t xid, Timestamp time,
                                  const std::vector<std::uint32_t>& children) {
  return record(rmgr_xact, xact_commit_prepared | 0x80, 0, transaction_end(time, children, xid));
}
Lsn SyntheticWal::prepare(std::uint32_t xid) {
  return record(rmgr_xact, 0x10, xid, with_main(Buffer(80, 1)));
}
Lsn SyntheticWal::abort(std::uint32_t xid, Timestamp time,
                        const std::vector<std::uint32_t>& children) {
  Buffer main;
  ByteWriter writer(main);
  writer.u64(static_cast<std::uint64_t>(to_micros(time) - micros_1970_to_2000));
  writer.u32(2);
  writer.u32(static_cast<std::uint32_t>(children.size()));
  for (auto child : children) writer.u32(child);
  return record(rmgr_xact, xact_abort | 0x80, xid, with_main(main));
}

Lsn SyntheticWal::row(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid,
                      const RelationId& relation, const Buffer& main, bool image) {
  Buffer body;
  ByteWriter writer(body);
  Buffer tuple(20, 3);
  Buffer page(image ? 300 : 0, 4);
  writer.u8(0);
  writer.u8(static_cast<std::uint8_t>(0x20 | (image ? 0x10 : 0)));
  writer.u16(static_cast<std::uint16_t>(tuple.size()));
  if (image) {
    writer.u16(static_cast<std::uint16_t>(page.size()));
    writer.u16(100);
    writer.u8(1 | 2 | 4);  // hole, apply, pglz: then the length of the hole follows
    writer.u16(7000);
  }
  writer.u32(relation.tablespace);
  writer.u32(relation.database);
  writer.u32(relation.filenode);
  writer.u32(17);
  writer.u8(255);
  writer.u8(static_cast<std::uint8_t>(main.size()));
  writer.raw(page);
  writer.raw(tuple);
  writer.raw(main);
  return record(rmgr, info, xid, body);
}

Lsn SyntheticWal::insert(std::uint32_t xid, const RelationId& relation) {
  return row(rmgr_heap, heap_insert, xid, relation, {1, 0, 0}, false);
}
Lsn SyntheticWal::insert_with_image(std::uint32_t xid, const RelationId& relation) {
  return row(rmgr_heap, heap_insert | 0x80, xid, relation, {1, 0, 0}, true);
}
Lsn SyntheticWal::erase(std::uint32_t xid, const RelationId& relation) {
  return row(rmgr_heap, heap_delete, xid, relation, {0, 0, 0, 0, 1, 0, 0, 0}, false);
}
Lsn SyntheticWal::multi_insert(std::uint32_t xid, const RelationId& relation, std::uint16_t rows) {
  Buffer main{0, 0};
  ByteWriter(main).u16(rows);
  return row(rmgr_heap2, heap2_multi_insert, xid, relation, main, false);
}

Lsn SyntheticWal::touch(std::uint32_t xid, const ForkId& fork, std::uint32_t block) {
  Buffer body;
  ByteWriter writer(body);
  writer.u8(0);
  writer.u8(fork.fork);
  writer.u16(0);
  for (auto value :
       {fork.relation.tablespace, fork.relation.database, fork.relation.filenode, block}) {
    writer.u32(value);
  }
  return record(11, 0, xid, body);  // an index
}

Lsn SyntheticWal::plain(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid,
                        const Buffer& main) {
  return record(rmgr, info, xid, with_main(main));
}

Lsn SyntheticWal::truncate(const RelationId& relation, std::uint32_t limit, std::uint32_t forks) {
  Buffer main;
  ByteWriter writer(main);
  for (auto value : {limit, relation.tablespace, relation.database, relation.filenode, forks}) {
    writer.u32(value);
  }
  return plain(2, 0x20, 0, main);
}

Lsn SyntheticWal::create(std::uint32_t xid, const RelationId& relation) {
  Buffer main;
  ByteWriter writer(main);
  for (auto value : {relation.tablespace, relation.database, relation.filenode, 0u}) {
    writer.u32(value);
  }
  return plain(2, 0x10, xid, main);
}

Lsn SyntheticWal::parameters(std::uint32_t wal_level, bool log_hints) {
  Buffer main;
  ByteWriter writer(main);
  for (auto value : {100u, 8u, 10u, 0u, 64u, wal_level}) writer.u32(value);
  writer.u8(log_hints ? 1 : 0);
  writer.u8(0);
  writer.u16(0);
  return plain(rmgr_xlog, 0x60, 0, main);
}

Lsn SyntheticWal::restore_point(const std::string& name, Timestamp time) {
  Buffer main;
  ByteWriter writer(main);
  writer.u64(static_cast<std::uint64_t>(to_micros(time) - micros_1970_to_2000));
  Buffer text(64);
  std::copy(name.begin(), name.end(), text.begin());
  writer.raw(text);
  return record(rmgr_xlog, xlog_restore_point, 0, with_main(main));
}

Lsn SyntheticWal::running(std::uint32_t next, std::uint32_t oldest) {
  Buffer main;
  ByteWriter writer(main);
  for (auto value : {0u, 0u, 0u, next, oldest, oldest - 1}) writer.u32(value);
  return record(rmgr_standby, standby_running_xacts, 0, with_main(main));
}

Lsn SyntheticWal::switch_segment() {
  auto at = record(rmgr_xlog, xlog_switch, 0, {});
  bytes_.resize((end() + segment_bytes - 1) / segment_bytes * segment_bytes - start_);
  return at;
}

void SyntheticWal::abandoned_record(std::size_t bytes) {
  Buffer record(bytes, 9);
  Buffer size;
  ByteWriter(size).u32(static_cast<std::uint32_t>(bytes));
  std::copy(size.begin(), size.end(), record.begin());
  put(record, 0);
  page_header(0, 8);
}

Buffer SyntheticWal::segment(std::uint64_t number) const {
  auto from = number * segment_bytes - start_;
  auto size = std::min<std::uint64_t>(segment_bytes, bytes_.size() - from);
  auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(from);
  Buffer out(first, first + static_cast<std::ptrdiff_t>(size));
  out.resize(segment_bytes);
  return out;
}

}  // namespace lb::pg
