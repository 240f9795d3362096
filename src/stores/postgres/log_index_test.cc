#include "stores/postgres/log_index.h"

#include <gtest/gtest.h>

#include "stores/postgres/log_path.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/synthetic_wal.h"
#include "stores/postgres/timeline_history.h"

namespace lb::pg {
namespace {

constexpr auto segment = SyntheticWal::segment_bytes;
Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

TEST(TimelineHistory, ReadsSwitchesAndDescent) {
  auto switches =
      parse_history(5, "1\t0/300\tno recovery target specified\n\n# note\n3\t0/500\tbefore 2026\n");
  ASSERT_TRUE(switches.ok()) << switches.error().text();
  ASSERT_EQ(switches->size(), 2u);
  EXPECT_EQ((*switches)[0].parent, 1u);
  EXPECT_EQ((*switches)[0].timeline, 3u);
  EXPECT_EQ((*switches)[0].at, 0x300u);
  EXPECT_EQ((*switches)[1].timeline, 5u);
  auto line = descent_of(*switches, 5);
  ASSERT_EQ(line.size(), 3u);
  EXPECT_EQ(line[0].timeline, 1u);
  EXPECT_EQ(*line[1].until, 0x500u);
  EXPECT_FALSE(line[2].until.has_value());
  EXPECT_EQ(descent_of(*switches, 4).size(), 1u);
}

TEST(TimelineHistory, RefusesWhatNoServerWrites) {
  for (const auto* text :
       {"x", "1", "1 zz", "0\t0/1\tx", "7\t0/1\tx", "2\t0/1\tx\n1\t0/2\ty", "-1\t0/1"}) {
    auto result = parse_history(5, text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().kind(), ErrorKind::corrupt) << text;
  }
}

// Segments 1 to 5, one commit each with its number as xid and second.
SyntheticWal five_segments() {
  SyntheticWal wal;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    wal.commit(i, at(static_cast<int>(i)));
    if (i < 5) wal.switch_segment();
  }
  return wal;
}

TEST(LogIndex, FindsNoHoleInWholeLog) {
  MemoryRepository log;
  log.store(five_segments());
  auto index = read_log_index(log, MemoryRepository::log_id, segment);
  ASSERT_TRUE(index.ok()) << index.error().text();
  EXPECT_EQ(index->parts.size(), 5u);
  EXPECT_TRUE(index->holes.empty());
}

TEST(LogIndex, NamesHolesWithTheCommitsAround) {
  MemoryRepository log;
  log.store(five_segments(), {2, 4});
  auto index = read_log_index(log, MemoryRepository::log_id, segment);
  ASSERT_TRUE(index.ok());
  ASSERT_EQ(index->holes.size(), 2u);
  const auto& hole = index->holes[0];
  EXPECT_EQ(hole.first_segment, 2u);
  EXPECT_EQ(hole.last_segment, 2u);
  EXPECT_EQ(hole.from, 2 * segment);
  EXPECT_EQ(hole.to, 3 * segment);
  EXPECT_EQ(*hole.after, at(1));
  EXPECT_EQ(*hole.before, at(3));
  EXPECT_EQ(index->holes[1].first_segment, 4u);
}

TEST(LogIndex, ATailInTheMiddleIsAHoleToo) {
  MemoryRepository log;
  log.store(five_segments());
  log.cut(2, 9000);
  auto index = read_log_index(log, MemoryRepository::log_id, segment);
  ASSERT_TRUE(index.ok());
  ASSERT_EQ(index->holes.size(), 1u);
  EXPECT_EQ(index->holes[0].first_segment, 2u);
  EXPECT_EQ(index->holes[0].last_segment, 2u);
}

TEST(LogIndex, ADamagedSummaryNamesItsSegment) {
  MemoryRepository log;
  log.store(five_segments());
  log.spoil_summary(3);
  auto index = read_log_index(log, MemoryRepository::log_id, segment);
  ASSERT_FALSE(index.ok());
  EXPECT_NE(index.error().text().find("000000010000000000000003"), std::string::npos)
      << index.error().text();
}

TEST(Window, ReachesToTheLastCommitBeforeAHole) {
  MemoryRepository log;
  log.store(five_segments(), {4});
  auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
  auto snapshot = MemoryRepository::snapshot_details(segment + 40, segment + 200);
  auto window = window_of(index, snapshot, at(0));
  EXPECT_EQ(window.from, at(0));
  EXPECT_EQ(*window.to, at(3));
  EXPECT_EQ(window.from_lsn, segment + 200);
  EXPECT_EQ(window.to_lsn, 4 * segment);
  auto late =
      window_of(index, MemoryRepository::snapshot_details(9 * segment, 9 * segment + 100), at(9));
  EXPECT_FALSE(late.to.has_value());
}

}  // namespace
}  // namespace lb::pg
