// The limits of the watch: it says what it could not keep, and never grows with the log.
#include "stores/postgres/transaction_watch.h"

#include <gtest/gtest.h>

namespace lb::pg {
namespace {

RelationId relation(std::uint32_t number) { return {1663, 5, 20'000 + number}; }

TransactionEnd commit_of(std::uint32_t xid) {
  TransactionEnd end;
  end.commit = true;
  end.xid = xid;
  return end;
}

TEST(TransactionWatch, SaysWhenThereWereTooManyOpenTransactions) {
  TransactionWatch watch;
  for (std::uint32_t xid = 3; xid < (1u << 20) + 10; ++xid) watch.rows(xid, relation(1), 5000, 0);
  bool complete = true;
  EXPECT_TRUE(watch.take(complete).empty());
  EXPECT_FALSE(complete);
  watch.ended(commit_of(3), 100, 200);
  EXPECT_EQ(watch.take(complete).size(), 1u) << "what was kept is told";
  EXPECT_TRUE(complete) << "nothing was missed since";
  // What a crash left behind makes room.
  watch.forget_below(1u << 21);
  watch.rows(1u << 21, relation(1), 5000, 0);
  watch.ended(commit_of(1u << 21), 300, 400);
  EXPECT_EQ(watch.take(complete).size(), 1u);
  EXPECT_TRUE(complete);
}

TEST(TransactionWatch, NamesAHundredFilesAndCountsAll) {
  TransactionWatch watch;
  auto end = commit_of(9);
  for (std::uint32_t i = 0; i < 150; ++i) {
    watch.created(9, relation(i));
    end.dropped.push_back(relation(1000 + i));
  }
  watch.ended(end, 100, 200);
  bool complete = false;
  const auto found = watch.take(complete);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].created.size(), 100u);
  EXPECT_EQ(found[0].created_count, 150u);
  EXPECT_EQ(found[0].dropped.size(), 100u);
  EXPECT_EQ(found[0].dropped_count, 150u);
}

TEST(TransactionWatch, CountsRowsOfTheRelationsThatComeFirst) {
  TransactionWatch watch;
  for (int round = 0; round < 1000; ++round) {
    for (std::uint32_t i = 0; i < 150; ++i) watch.rows(9, relation(i), 1, 0);
  }
  watch.ended(commit_of(9), 100, 200);
  bool complete = false;
  const auto found = watch.take(complete);
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].rows.size(), 100u);
  for (const auto& rows : found[0].rows) EXPECT_EQ(rows.deleted, 1000u);
}

// Transaction ids come round: those behind the wrap are younger.
TEST(TransactionWatch, ForgetsAcrossTheWrapOfIds) {
  TransactionWatch watch;
  watch.rows(0xFFFFFFF0, relation(1), 5000, 0);
  watch.rows(20, relation(1), 5000, 0);
  watch.forget_below(10);
  watch.ended(commit_of(0xFFFFFFF0), 100, 200);
  watch.ended(commit_of(20), 300, 400);
  bool complete = false;
  const auto found = watch.take(complete);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].xid, 20u);
}

}  // namespace
}  // namespace lb::pg
