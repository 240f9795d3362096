// What single records mean for relation files, in the forms of all versions, and which transactions
// are suspicious.
#include "stores/postgres/wal_changes.h"

#include <gtest/gtest.h>

#include "foundation/sys/random.h"
#include "stores/postgres/synthetic_wal.h"

namespace lb::pg {
namespace {

const RelationId table{1663, 5, 20001}, other{1663, 5, 20002};
Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

SegmentDetail scan(const SyntheticWal& wal, std::size_t slice = 1 << 20) {
  auto scanner = WalScanner::create(wal.start(), 0, {.detail = true});
  ByteView bytes = wal.bytes();
  for (std::size_t from = 0; from < bytes.size(); from += slice) {
    auto status = scanner->feed(bytes.subspan(from, std::min(slice, bytes.size() - from)));
    EXPECT_TRUE(status.ok()) << status.error().text();
  }
  return scanner->take_detail();
}

// A record of numbers alone, as it stands in the log of `version`.
Result<SegmentDetail> one_record(int version, std::uint8_t rmgr, std::uint8_t info,
                                 const std::vector<std::uint32_t>& main) {
  Buffer record(record_header_bytes);
  ByteWriter writer(record);
  writer.u8(255);
  writer.u8(static_cast<std::uint8_t>(4 * main.size()));
  for (auto value : main) writer.u32(value);
  RecordHeader header;
  header.rmgr = rmgr;
  header.info = info;
  header.xid = 9;
  ChangeCollector changes(0);
  LB_TRY(changes.add(header, record, version, 800));
  return changes.take(800);
}

TEST(WalChanges, BlocksOfEveryForkAreTold) {
  SyntheticWal wal;
  for (std::uint8_t fork = 0; fork < 4; ++fork) wal.touch(7, {table, fork}, 1000u + fork);
  wal.insert_with_image(7, other);
  for (int i = 0; i < 5; ++i) wal.touch(7, {table, 0}, 4'000'000'000u);
  for (std::size_t slice : {1u << 20, 1u, 13u}) {
    auto detail = scan(wal, slice);
    EXPECT_EQ(detail.forks.size(), 5u);
    for (std::uint8_t fork = 0; fork < 4; ++fork) {
      EXPECT_TRUE((detail.forks[{table, fork}].blocks.contains(1000u + fork)));
    }
    EXPECT_EQ((detail.forks[{table, 0}].blocks.count()), 2u);
    EXPECT_TRUE((detail.forks[{other, 0}].blocks.contains(17)));
    EXPECT_EQ(detail.complete_from, wal.start());
    EXPECT_EQ(detail.end_lsn, wal.end());
  }
}

// The filter of repeated references must never swallow one that is new.
TEST(WalChanges, ManyBlocksAreToldOneByOne) {
  auto random = seeded_random(5);
  SyntheticWal wal;
  std::map<ForkId, std::set<std::uint32_t>> model;
  for (int i = 0; i < 30'000; ++i) {
    const ForkId fork{{1663, 5, static_cast<std::uint32_t>(20'000 + random->below(40))},
                      static_cast<std::uint8_t>(random->below(4))};
    const auto block = static_cast<std::uint32_t>(random->below(i % 2 == 0 ? 50 : 1'000'000));
    wal.touch(7, fork, block);
    model[fork].insert(block);
  }
  auto detail = scan(wal);
  ASSERT_EQ(detail.forks.size(), model.size());
  for (const auto& [fork, blocks] : model) {
    std::vector<std::uint32_t> told;
    detail.forks[fork].blocks.list(0, ~0u, told);
    EXPECT_EQ(told, std::vector<std::uint32_t>(blocks.begin(), blocks.end()));
  }
}

TEST(WalChanges, TruncationsKeepTheLowestLimit) {
  SyntheticWal wal;
  wal.truncate(table, 30);
  wal.truncate(table, 10, 1);
  wal.truncate(table, 20, 6);
  wal.truncate(other, 5, 4);
  auto detail = scan(wal);
  EXPECT_EQ((detail.forks[{table, fork_main}].limit), 10u);
  EXPECT_EQ((detail.forks[{table, fork_vm}].limit), 0u);
  EXPECT_EQ((detail.forks[{table, fork_fsm}].limit), 0u);
  EXPECT_FALSE((detail.forks.contains({other, fork_main})));
  EXPECT_EQ((detail.forks[{other, fork_fsm}].limit), 0u);
}

TEST(WalChanges, TheFormOfDatabaseRecordsChangedWithFifteen) {
  const DatabaseId made{1663, 77};
  for (int version = 13; version <= 18; ++version) {
    auto copied = one_record(version, 4, 0x00, {77, 1663, 1, 1663});
    ASSERT_TRUE(copied.ok());
    EXPECT_EQ(copied->databases, std::set<DatabaseId>{made});
    auto gone = one_record(version, 4, version <= 14 ? 0x10 : 0x20, {77, 2, 1663, 1664});
    ASSERT_TRUE(gone.ok());
    EXPECT_EQ(gone->databases, (std::set<DatabaseId>{made, {1664, 77}}));
    EXPECT_FALSE(one_record(version, 4, version <= 14 ? 0x10 : 0x20, {77, 3, 1663, 1664}).ok());
    EXPECT_FALSE(one_record(version, 4, 0x00, {77}).ok());
    if (version < 15) continue;
    auto logged = one_record(version, 4, 0x10, {77, 1663});
    ASSERT_TRUE(logged.ok());
    EXPECT_EQ(logged->databases, std::set<DatabaseId>{made});
  }
}

TEST(WalChanges, TheLevelOfTheLogIsSeen) {
  for (int version = 13; version <= 18; ++version) {
    auto minimal = one_record(version, rmgr_xlog, 0x60, {100, 8, 0, 0, 64, 0, 0});
    ASSERT_TRUE(minimal.ok());
    EXPECT_EQ(minimal->wal_level_minimal.last, 800u);
    EXPECT_EQ(minimal->wal_log_hints_off.last, 800u);
    auto replica = one_record(version, rmgr_xlog, 0x60, {100, 8, 0, 0, 64, 1, 1});
    ASSERT_TRUE(replica.ok());
    EXPECT_EQ(replica->wal_level_minimal, Sighting());
    EXPECT_EQ(replica->wal_log_hints_off, Sighting());
    EXPECT_FALSE(one_record(version, rmgr_xlog, 0x60, {100, 8, 0, 0, 64, 1}).ok());
    // From 17 on the redo record of a checkpoint says it too.
    auto redo = one_record(version, rmgr_xlog, 0xE0, {0});
    ASSERT_TRUE(redo.ok());
    EXPECT_EQ(redo->wal_level_minimal.last, version >= 17 ? 800u : 0u);
  }
}

TEST(WalChanges, MapsAndShortRecords) {
  auto map = one_record(15, 7, 0, {5, 1663, 512});
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->maps, (std::set<DatabaseId>{{1663, 5}}));
  EXPECT_FALSE(one_record(15, 7, 0, {5}).ok());
  EXPECT_FALSE(one_record(15, 2, 0x10, {1663, 5}).ok());
  EXPECT_FALSE(one_record(15, 2, 0x20, {0, 1663, 5, 20001}).ok());
}

TEST(WalChanges, AnInsertionIntoAnSpGistIndexTouchesItsFirstPage) {
  SyntheticWal wal;
  Buffer body;
  wal.touch(7, {table, 0}, 9);
  auto plain = scan(wal);
  EXPECT_FALSE((plain.forks[{table, 0}].blocks.contains(0)));
  Buffer record(record_header_bytes);
  ByteWriter writer(record);
  writer.u32(0);  // block 0, main fork, no data
  for (std::uint32_t value : {1663u, 5u, 20001u, 9u}) writer.u32(value);
  ChangeCollector changes(0);
  RecordHeader header;
  header.rmgr = 16;
  ASSERT_TRUE(changes.add(header, record, 15, 8).ok());
  auto detail = changes.take(8);
  EXPECT_TRUE((detail.forks[{table, 0}].blocks.contains(0)));
  EXPECT_TRUE((detail.forks[{table, 0}].blocks.contains(9)));
}

// Deletes so many rows in runs of a transaction and one that it calls its child.
void erase_rows(SyntheticWal& wal, std::uint32_t xid, const RelationId& relation, int rows) {
  for (int i = 0; i < rows; ++i) wal.erase(xid, relation);
}

TEST(Suspects, ManyRowsDeletedByOneCommittedTransaction) {
  SyntheticWal wal;
  erase_rows(wal, 100, table, 999);  // few
  erase_rows(wal, 101, table, 600);  // with its child enough
  erase_rows(wal, 102, table, 400);
  erase_rows(wal, 101, other, 1);
  erase_rows(wal, 103, other, 5000);  // given up
  wal.commit(100, at(1));
  const auto lsn = wal.commit(101, at(2), {102});
  wal.abort(103, at(3));
  erase_rows(wal, 104, other, 1000);
  wal.prepare(104);
  wal.commit_prepared(104, at(4));
  auto detail = scan(wal);
  EXPECT_TRUE(detail.suspects_complete);
  ASSERT_EQ(detail.suspects.size(), 2u);
  const auto& first = detail.suspects[0];
  EXPECT_EQ(first.xid, 101u);
  EXPECT_EQ(first.lsn, lsn);
  EXPECT_EQ(first.time, at(2));
  EXPECT_EQ(first.rows, (std::vector<Suspect::Rows>{{table, 1000, 0}}));
  EXPECT_EQ(detail.suspects[1].xid, 104u);
  EXPECT_EQ(detail.suspects[1].rows, (std::vector<Suspect::Rows>{{other, 1000, 0}}));
}

TEST(Suspects, WhatACrashLeftOpenIsForgotten) {
  SyntheticWal wal;
  erase_rows(wal, 100, table, 2000);
  wal.running(102, 101);  // 100 is not among the living
  wal.commit(100, at(1));
  EXPECT_TRUE(scan(wal).suspects.empty());
}

TEST(Suspects, DroppedAndCreatedFilesStandTogether) {
  SyntheticWal wal;
  wal.create(100, other);
  // Commit with the list of dropped files: flags 4.
  Buffer main;
  ByteWriter writer(main);
  writer.u64(800'000'000'000'000);
  writer.u32(4);
  for (std::uint32_t value : {1u, 1663u, 5u, 20001u}) writer.u32(value);
  wal.plain(rmgr_xact, 0x80, 100, main);
  auto detail = scan(wal);
  EXPECT_EQ(detail.created, std::set<RelationId>{other});
  ASSERT_EQ(detail.suspects.size(), 1u);
  EXPECT_EQ(detail.suspects[0].dropped, std::vector<RelationId>{table});
  EXPECT_EQ(detail.suspects[0].created, std::vector<RelationId>{other});
}

}  // namespace
}  // namespace lb::pg
