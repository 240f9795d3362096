#include "stores/postgres/row_deltas.h"

#include <gtest/gtest.h>

#include "stores/postgres/synthetic_wal.h"

namespace lb::pg {
namespace {

const RelationId table{1663, 16384, 20001};

Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

std::unique_ptr<WalScanner> scan(const SyntheticWal& wal) {
  auto scanner =
      WalScanner::create(wal.start(), 0, {.commits = false, .aborts = false, .row_deltas = true});
  EXPECT_TRUE(scanner->feed(wal.bytes()).ok());
  return scanner;
}

std::int64_t rows(WalScanner& scanner, const std::string& snapshot, Lsn until = ~Lsn{0}) {
  auto result = scanner.row_deltas(snapshot, until);
  EXPECT_TRUE(result.ok()) << result.error().text();
  auto found = result->find(table);
  return found == result->end() ? 0 : found->second;
}

TEST(RowDeltas, CountsOnlyWhatTheSnapshotDoesNotSee) {
  SyntheticWal wal;
  wal.running(100, 100);
  for (std::uint32_t xid = 100; xid < 110; ++xid) {
    wal.insert(xid, table);
    wal.commit(xid, at(static_cast<int>(xid)));
  }
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "100:100:"), 10);
  EXPECT_EQ(rows(*scanner, "105:105:"), 5);
  EXPECT_EQ(rows(*scanner, "102:105:102,104"), 7);
  EXPECT_EQ(rows(*scanner, "110:110:"), 0);
}

TEST(RowDeltas, StopsAtThePointAsked) {
  SyntheticWal wal;
  wal.running(100, 100);
  wal.insert(100, table);
  wal.commit(100, at(1));
  wal.insert(101, table);
  auto middle = wal.end();
  wal.commit(101, at(2));
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "100:100:", middle), 1);
  EXPECT_EQ(rows(*scanner, "100:100:", wal.end()), 2);
}

TEST(RowDeltas, SubtransactionsFollowTheirParent) {
  SyntheticWal wal;
  wal.running(100, 100);
  wal.insert(100, table);
  wal.multi_insert(101, table, 10);
  wal.multi_insert(102, table, 100);
  wal.abort(102, at(1));  // rolled back to a savepoint
  wal.commit(100, at(2), {101});
  wal.multi_insert(104, table, 1000);
  wal.abort(103, at(3), {104});
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "100:100:"), 11);
  // The snapshot names only the top of an open transaction.
  EXPECT_EQ(rows(*scanner, "100:103:100"), 11);
  EXPECT_EQ(rows(*scanner, "103:103:"), 0);
}

TEST(RowDeltas, PreparedTransactionsCountWhenTheyCommit) {
  SyntheticWal wal;
  wal.running(100, 100);
  wal.insert(100, table);
  wal.prepare(100);
  wal.insert(101, table);
  wal.prepare(101);
  auto before = wal.end();
  wal.commit_prepared(100, at(1));
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "100:102:100,101", before), 0);
  EXPECT_EQ(rows(*scanner, "100:102:100,101"), 1);
}

TEST(RowDeltas, ATransactionOlderThanTheScanMakesItInexactOnlyWhenItCommits) {
  SyntheticWal wal;
  wal.running(105, 101);
  wal.insert(101, table);
  auto before = wal.end();
  wal.commit(101, at(1));
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "101:105:101", before), 0);
  auto result = scanner->row_deltas("101:105:101", ~Lsn{0});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(result.error().text().find("transaction 101"), std::string::npos);
}

TEST(RowDeltas, AnOldTransactionWithoutRowsInTheScanIsNotForgotten) {
  SyntheticWal wal;
  wal.running(105, 101);
  wal.commit(101, at(1));
  auto scanner = scan(wal);
  EXPECT_FALSE(scanner->row_deltas("101:105:101", ~Lsn{0}).ok());
}

TEST(RowDeltas, AScanThatBeginsAfterTheCountsIsRefused) {
  SyntheticWal wal;
  wal.running(200, 200);
  wal.insert(200, table);
  wal.commit(200, at(1));
  auto scanner = scan(wal);
  auto result = scanner->row_deltas("100:150:", ~Lsn{0});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::unsupported);
}

TEST(RowDeltas, WithoutAListOfRunningTransactionsNothingIsClaimed) {
  SyntheticWal wal;
  wal.insert(200, table);
  wal.commit(200, at(1));
  EXPECT_FALSE(scan(wal)->row_deltas("100:150:", ~Lsn{0}).ok());
}

TEST(RowDeltas, IdsOfLaterEpochsAndTheWrapAreUnderstood) {
  SyntheticWal wal;
  wal.running(0xfffffff0u, 0xfffffff0u);
  wal.insert(0xfffffff8u, table);
  wal.commit(0xfffffff8u, at(1));
  wal.insert(5, table);
  wal.commit(5, at(2));
  auto scanner = scan(wal);
  EXPECT_EQ(rows(*scanner, "8589934580:8589934580:"), 2);  // 2 * 2^32 - 12
  EXPECT_EQ(rows(*scanner, "8589934590:8589934590:"), 1);  // 2 * 2^32 - 2
}

TEST(RowDeltas, NonsenseSnapshotsAreInvalid) {
  auto wal = SyntheticWal();
  wal.running(100, 100);
  auto scanner = scan(wal);
  for (const auto* text : {"", "1", "1:2", "2:1:", "a:b:", "1:2:x", "1:2:1,,2"}) {
    auto result = scanner->row_deltas(text, 0);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid) << text;
  }
}

}  // namespace
}  // namespace lb::pg
