// SyntheticWal: writes a log of our own making for tests: pages, records that cross pages and
// segments, transaction ends, rows. PostgreSQL 15 format, 1 MiB segments.
// For tests only.
#pragma once

#include <string>
#include <vector>

#include "stores/postgres/wal_reader.h"

namespace lb::pg {

class SyntheticWal {
 public:
  static constexpr std::uint64_t segment_bytes = 1 << 20;
  static constexpr std::uint64_t system_identifier = 7'000'000'000'000'000'001;

  explicit SyntheticWal(Lsn start = segment_bytes, std::uint32_t timeline = 1);

  Lsn filler(std::size_t main_bytes);  // each returns the record's start
  Lsn commit(std::uint32_t xid, Timestamp time, const std::vector<std::uint32_t>& children = {});
  Lsn commit_prepared(std::uint32_t xid, Timestamp time,
                      const std::vector<std::uint32_t>& children = {});
  Lsn prepare(std::uint32_t xid);
  Lsn abort(std::uint32_t xid, Timestamp time, const std::vector<std::uint32_t>& children = {});
  Lsn insert(std::uint32_t xid, const RelationId& relation);
  Lsn insert_with_image(std::uint32_t xid, const RelationId& relation);
  Lsn erase(std::uint32_t xid, const RelationId& relation);
  Lsn multi_insert(std::uint32_t xid, const RelationId& relation, std::uint16_t rows);
  Lsn touch(std::uint32_t xid, const ForkId& fork, std::uint32_t block);
  // A record without blocks, of any kind.
  Lsn plain(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid, const Buffer& main);
  Lsn truncate(const RelationId& relation, std::uint32_t limit, std::uint32_t forks = 7);
  Lsn create(std::uint32_t xid, const RelationId& relation);
  Lsn parameters(std::uint32_t wal_level, bool log_hints);
  Lsn restore_point(const std::string& name, Timestamp time);
  Lsn running(std::uint32_t next, std::uint32_t oldest);
  Lsn switch_segment();
  // Begins a record of `bytes`, writes only what fits on this page, and goes on as a server does
  // after a crash: the next page says that nothing continues.
  void abandoned_record(std::size_t bytes);
  void set_timeline(std::uint32_t timeline) { timeline_ = timeline; }

  Lsn start() const { return start_; }
  Lsn end() const { return start_ + bytes_.size(); }
  const Buffer& bytes() const { return bytes_; }
  // The segment with this number, zero-padded to its full size when the log ends in it.
  Buffer segment(std::uint64_t number) const;

 private:
  Lsn record(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid, const Buffer& body);
  Lsn row(std::uint8_t rmgr, std::uint8_t info, std::uint32_t xid, const RelationId& relation,
          const Buffer& main, bool image);
  void put(ByteView bytes, std::size_t limit);
  void page_header(std::size_t remaining, std::uint16_t flags);

  Lsn start_;
  std::uint32_t timeline_;
  Lsn previous_ = 0;
  Buffer bytes_;
};

}  // namespace lb::pg
