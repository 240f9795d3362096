#include "stores/postgres/changed_pages.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/synthetic_wal.h"

namespace lb::pg {
namespace {

constexpr auto segment = SyntheticWal::segment_bytes;
const RelationId table{1663, 5, 20001}, other{1663, 5, 20002};
const ForkId heap{table, fork_main};
using Blocks = std::vector<std::uint32_t>;

SegmentDetail detail_of(const ForkId& fork, const Blocks& blocks) {
  SegmentDetail detail;
  for (auto block : blocks) detail.forks[fork].blocks.add(block);
  return detail;
}

TEST(ChangedPages, JoinsWhatSegmentsTell) {
  ChangedPages pages;
  pages.add(detail_of(heap, {7, 3, 200'000}));
  pages.add(detail_of(heap, {3, 4}));
  EXPECT_EQ(pages.blocks(heap, 0, 131'072), (Blocks{3, 4, 7}));
  EXPECT_EQ(pages.blocks(heap, 4, 3), Blocks{4});
  EXPECT_EQ(pages.blocks(heap, 131'072, 131'072), Blocks{200'000});
  EXPECT_TRUE(pages.any(heap));
  EXPECT_FALSE(pages.any({table, fork_vm}));
  EXPECT_TRUE(pages.blocks({other, fork_main}, 0, 100).empty());
  EXPECT_EQ(pages.count(), 4u);
}

TEST(ChangedPages, EverythingBehindTheLowestCutCounts) {
  ChangedPages pages;
  auto first = detail_of(heap, {2, 9}), second = detail_of(heap, {1});
  first.forks[heap].limit = 5;
  second.forks[heap].limit = 7;
  pages.add(first);
  pages.add(second);
  EXPECT_EQ(pages.blocks(heap, 0, 8), (Blocks{1, 2, 5, 6, 7}));
  EXPECT_EQ(pages.blocks(heap, 6, 3), (Blocks{6, 7, 8})) << "all of a part behind it";
  EXPECT_EQ(pages.blocks(heap, 0, 3), (Blocks{1, 2}));
  SegmentDetail cut_only;
  cut_only.forks[{other, fork_main}].limit = 0;
  pages.add(cut_only);
  EXPECT_TRUE(pages.any({other, fork_main}));
  EXPECT_EQ(pages.blocks({other, fork_main}, 0xFFFFFFFE, 1), Blocks{0xFFFFFFFE});
}

TEST(ChangedPages, NewRelationsAndDatabasesAreReadWhole) {
  ChangedPages pages;
  SegmentDetail detail;
  detail.created = {table};
  detail.databases = {{1664, 9}};
  pages.add(detail);
  EXPECT_TRUE(pages.whole(table));
  EXPECT_TRUE(pages.any({table, fork_init}));
  EXPECT_EQ(pages.blocks(heap, 2, 3), (Blocks{2, 3, 4}));
  EXPECT_FALSE(pages.whole(other));
  EXPECT_TRUE(pages.whole({1664, 9, 77}));
  EXPECT_FALSE(pages.whole({1663, 9, 77})) << "the same database elsewhere";
}

// A log that a receiver stores from `begin` on.
class Received {
 public:
  explicit Received(const SyntheticWal& wal, std::uint32_t timeline = 1) { store(wal, timeline); }
  void store(const SyntheticWal& wal, std::uint32_t timeline, Lsn begin = 0) {
    begin = std::max(begin, wal.start());
    LogWriter writer(log, MemoryRepository::log_id, segment,
                     [](const std::string& trouble) { ADD_FAILURE() << trouble; });
    EXPECT_TRUE(writer.begin(timeline, begin).ok());
    EXPECT_TRUE(writer.append(begin, ByteView(wal.bytes()).subspan(begin - wal.start())).ok());
    EXPECT_TRUE(writer.flush().ok());
  }
  Result<ChangedPages> read(Lsn from, Lsn until, std::uint32_t timeline = 1) {
    auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
    reads = log.log_reads();
    auto pages = read_changed_pages(log, index, timeline, from, until);
    reads = log.log_reads() - reads;
    return pages;
  }
  Blocks heap_blocks(Lsn from, Lsn until, std::uint32_t timeline = 1) {
    auto pages = read(from, until, timeline);
    EXPECT_TRUE(pages.ok()) << (pages.ok() ? "" : pages.error().text());
    return pages.ok() ? pages->blocks(heap, 0, 1000) : Blocks();
  }
  MemoryRepository log;
  int reads = 0;  // of data, by the last read
};

// In each of four segments a change of the block with its number; filler lies across the borders,
// and so does a change of block 100 + number.
SyntheticWal four_segments() {
  SyntheticWal wal;
  for (std::uint32_t number = 1; number <= 4; ++number) {
    wal.touch(5, heap, number);
    while (segment - wal.end() % segment > 9000) wal.filler(8000);
    // Its first bytes are in this segment, its end in the next.
    while (segment - wal.end() % segment > 40) wal.filler(0);
    wal.touch(5, heap, 100 + number);
  }
  wal.touch(5, heap, 5);
  return wal;
}

TEST(ReadChangedPages, DetailsAreEnough) {
  auto wal = four_segments();
  Received received(wal);
  EXPECT_EQ(received.heap_blocks(wal.start(), wal.end()),
            (Blocks{1, 2, 3, 4, 5, 101, 102, 103, 104}));
  // The tail has none; the segment before it is read for the record across the border.
  EXPECT_LE(received.reads, 2);
  EXPECT_EQ(received.heap_blocks(2 * segment + 8192 + 24, 4 * segment),
            (Blocks{2, 3, 4, 101, 102, 103}))
      << "segments count as a whole, also that in which the last record ends";
  EXPECT_EQ(received.reads, 0);
}

TEST(ReadChangedPages, RecordsAcrossBordersAreNeverLost) {
  auto wal = four_segments();
  for (std::uint64_t restart = 1; restart <= 4; ++restart) {
    // Two receivers: the second begins with a segment and misses what lies across its first border.
    SyntheticWal first = wal;
    Received received(wal);
    received.log.drop(restart + 1);
    received.store(wal, 1, (restart + 1) * segment);
    EXPECT_EQ(received.heap_blocks(wal.start(), wal.end()),
              (Blocks{1, 2, 3, 4, 5, 101, 102, 103, 104}))
        << restart;
  }
}

TEST(ReadChangedPages, DataIsScannedWhereDetailsAreMissing) {
  auto wal = four_segments();
  for (int without = 0; without < 16; ++without) {
    Received received(wal);
    for (std::uint64_t number = 1; number <= 4; ++number) {
      if ((without >> (number - 1) & 1) == 0) continue;
      auto bytes = wal.segment(number);
      received.log.store_segment(MemoryRepository::log_id, 1, number, bytes, segment);
    }
    EXPECT_EQ(received.heap_blocks(wal.start(), wal.end()),
              (Blocks{1, 2, 3, 4, 5, 101, 102, 103, 104}))
        << without;
  }
}

TEST(ReadChangedPages, AHoleIsNamed) {
  auto wal = four_segments();
  Received received(wal);
  received.log.drop(3);
  auto pages = received.read(wal.start(), wal.end());
  ASSERT_FALSE(pages.ok());
  EXPECT_EQ(pages.error().kind(), ErrorKind::not_found);
  EXPECT_NE(pages.error().text().find("000000010000000000000003"), std::string::npos)
      << pages.error().text();
  EXPECT_FALSE(received.read(wal.start(), 3 * segment).ok())
      << "the record across the border ends in the hole";
  EXPECT_TRUE(received.read(wal.start(), 3 * segment - 5000).ok());
  EXPECT_TRUE(received.read(4 * segment + 8192 + 24, wal.end()).ok()) << "behind the hole";
}

TEST(ReadChangedPages, TheLogMustReachTheEnd) {
  auto wal = four_segments();
  Received received(wal);
  auto pages = received.read(wal.start(), wal.end() + 8);
  ASSERT_FALSE(pages.ok());
  EXPECT_EQ(pages.error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(received.read(6 * segment, 7 * segment).ok());
  EXPECT_FALSE(received.read(0, wal.end()).ok()) << "before the first segment";
}

// PostgreSQL tells where the next record would begin, behind the header of a fresh page.
TEST(ReadChangedPages, AnEndBehindAPageHeaderIsTheEndOfThePageBefore) {
  SyntheticWal wal;
  wal.touch(5, heap, 1);
  while (wal.end() % segment != 0)
    wal.filler(wal.end() % 8192 + 64 >= 8192 ? 8192 - 26 - wal.end() % 8192 : 6);
  Received received(wal);
  EXPECT_EQ(received.heap_blocks(wal.start(), wal.end() + 40), Blocks{1});
  EXPECT_FALSE(received.read(wal.start(), wal.end() + 48).ok());
}

TEST(ReadChangedPages, DamageOfADetailIsNoEmptyAnswer) {
  auto wal = four_segments();
  Received received(wal);
  auto bytes = wal.segment(2);
  received.log.drop(2);
  LogSummary summary;
  summary.first_lsn = 2 * segment;
  summary.end_lsn = 3 * segment;
  ASSERT_TRUE(
      received.log
          .put_log({MemoryRepository::log_id, 1, 2}, bytes, encode(summary), Buffer{1, 1, 0})
          .ok());
  auto pages = received.read(wal.start(), wal.end());
  ASSERT_FALSE(pages.ok());
  EXPECT_EQ(pages.error().kind(), ErrorKind::corrupt);
}

TEST(ReadChangedPages, MinimalLogMattersInsideTheRangeOnly) {
  SyntheticWal wal;
  wal.touch(5, heap, 1);
  const auto before = wal.end();
  wal.parameters(0, false);
  const auto after = wal.end();
  wal.parameters(1, true);
  wal.switch_segment();
  Received received(wal);
  EXPECT_TRUE(received.read(wal.start(), wal.end())->unusable());
  EXPECT_TRUE(received.read(wal.start(), wal.end())->hints_unlogged());
  EXPECT_TRUE(received.read(before, after)->unusable());
  EXPECT_FALSE(received.read(wal.start(), before)->unusable());
  EXPECT_FALSE(received.read(after, wal.end())->unusable());
  EXPECT_FALSE(received.read(after, wal.end())->hints_unlogged());
}

// Timeline 2 leaves 1 inside segment 3; 1 goes on there and in segment 4.
TEST(ReadChangedPages, FollowsTheTimelines) {
  SyntheticWal old;
  for (std::uint32_t number = 1; number <= 2; ++number) {
    old.touch(5, heap, number);
    old.switch_segment();
  }
  old.touch(5, heap, 3);
  SyntheticWal fresh = old;
  const auto leave = old.end();
  old.touch(5, heap, 50);
  old.switch_segment();
  old.touch(5, heap, 51);
  fresh.set_timeline(2);
  // The pages of the new timeline begin with the next one.
  while (fresh.end() % 8192 != 0) fresh.filler(6);
  fresh.touch(6, heap, 4);
  fresh.switch_segment();
  fresh.touch(6, heap, 6);
  Received received(old);
  received.store(fresh, 2, 3 * segment);
  ASSERT_TRUE(received.log
                  .put_history(MemoryRepository::log_id, 2,
                               view_of(cat("1\t", format_lsn(leave), "\twhy\n")))
                  .ok());
  EXPECT_EQ(received.heap_blocks(old.start(), fresh.end(), 2), (Blocks{1, 2, 3, 4, 6}));
  EXPECT_EQ(received.heap_blocks(old.start(), old.end(), 1), (Blocks{1, 2, 3, 50, 51}));
  EXPECT_EQ(received.heap_blocks(3 * segment + 40, fresh.end(), 2), (Blocks{3, 4, 6}));
  auto lost = received.read(old.start(), fresh.end(), 3);
  ASSERT_TRUE(!lost.ok()) << "no such timeline";
}

}  // namespace
}  // namespace lb::pg
