#include "stores/postgres/segment_detail.h"

#include <gtest/gtest.h>

#include "foundation/sys/random.h"

namespace lb::pg {
namespace {

const RelationId table{1663, 5, 20001}, other{1663, 5, 20002};

SegmentDetail rich_detail() {
  SegmentDetail detail;
  detail.complete_from = 0x1000028;
  detail.end_lsn = 0x2000000;
  auto random = seeded_random(3);
  for (std::uint32_t i = 0; i < 300; ++i) {
    detail.forks[{table, fork_main}].blocks.add(static_cast<std::uint32_t>(random->below(90'000)));
  }
  detail.forks[{other, fork_vm}].limit = 0;
  detail.forks[{other, fork_main}].blocks.add(7);
  detail.forks[{other, fork_main}].limit = 0xFFFFFFFF;
  detail.created = {table, {1664, 0, 1262}};
  detail.databases = {{1663, 5}, {1663, 6}};
  detail.maps = {{1664, 0}};
  detail.wal_level_minimal.add(0x1000100);
  detail.wal_log_hints_off.add(0x1000100);
  detail.wal_log_hints_off.add(0x1000200);
  detail.suspects_complete = false;
  detail.suspects.push_back({777,
                             0x1000300,
                             0x1000400,
                             from_micros(1'768'000'000'000'000),
                             {table},
                             {other},
                             1,
                             3,
                             {{1663, 9}},
                             {{table, 33'333, 0}}});
  detail.suspects.push_back({778, 0x1000500, 0x1000600, {}, {}, {}, 0, 0, {}, {}});
  return detail;
}

TEST(SegmentDetail, ComesBackAsItWas) {
  auto detail = rich_detail();
  for (std::uint32_t i = 0; i < 50'000; ++i) detail.forks[{other, fork_main}].blocks.add(i);
  auto read = decode_detail(encode(detail));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(*read, detail);
  EXPECT_EQ(decode_detail(encode(SegmentDetail{})).take(), SegmentDetail{});
}

TEST(SegmentDetail, EveryCutIsRefused) {
  const auto bytes = encode(rich_detail());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_detail(ByteView(bytes).first(size)).ok()) << size;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_detail(longer).ok());
}

// Whatever comes out of changed bytes is written again as the same bytes, or refused.
TEST(SegmentDetail, ChangedBytesAreRefusedOrMeanWhatTheySay) {
  auto random = seeded_random(17);
  const auto good = encode(rich_detail());
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = good;
    for (std::uint64_t n = 0; n <= random->below(3); ++n) {
      auto at = random->below(bytes.size());
      bytes[at] = static_cast<std::uint8_t>(random->below(256));
    }
    auto read = decode_detail(bytes);
    if (!read.ok()) continue;
    ++accepted;
    auto again = decode_detail(encode(*read));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, *read);
  }
  EXPECT_GT(accepted, 1000) << "numbers may be any";
}

TEST(SegmentDetail, OtherVersionsFlagsAndForksAreNotUnderstood) {
  auto bytes = encode(SegmentDetail{});
  bytes[0] = 2;
  EXPECT_EQ(decode_detail(bytes).error().kind(), ErrorKind::unsupported);
  bytes[0] = 1;
  bytes[1] = 2;
  EXPECT_EQ(decode_detail(bytes).error().kind(), ErrorKind::corrupt);
  SegmentDetail detail;
  detail.forks[{table, 4}].blocks.add(1);
  EXPECT_EQ(decode_detail(encode(detail)).error().kind(), ErrorKind::corrupt);
}

TEST(Sighting, LiesWithinWhatEndsBehindItAndBeginsBefore) {
  Sighting none, one;
  one.add(100);
  EXPECT_FALSE(none.within(0, ~Lsn{0}));
  EXPECT_TRUE(one.within(99, 100));
  EXPECT_FALSE(one.within(100, 200));
  EXPECT_FALSE(one.within(0, 99));
}

}  // namespace
}  // namespace lb::pg
