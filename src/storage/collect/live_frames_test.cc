#include "storage/collect/live_frames.h"

#include <gtest/gtest.h>

#include "foundation/sys/random.h"
#include "storage/repo/format.h"

namespace lb::repo {
namespace {

TEST(LiveChunks, AreSortedAndEachOnce) {
  LiveChunks chunks;
  for (std::uint32_t i = 0; i < 1000; ++i) chunks.add({i * 7 % 10, i % 3 * 100, 50});
  EXPECT_LT(chunks.size(), 200u) << "doubles do not add up";
  const auto& list = chunks.list();
  ASSERT_EQ(list.size(), 30u);
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
  EXPECT_EQ(list[4], (LiveChunk{1, 100, 50}));
}

class FrameSetOf : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Frames, FrameSetOf, testing::Values(frame_bytes, long_frame_bytes));

TEST_P(FrameSetOf, TellsWhatPartIsNamed) {
  const auto full = GetParam();
  auto random = seeded_random(1);
  for (auto percent : {10u, 30u, 70u, 100u}) {
    FrameSet set;
    PackShape shape;
    std::uint64_t named = 0;
    for (std::uint32_t frame = 0; frame < 128; ++frame) {
      std::uint32_t end = 0, size = 0;
      for (; end < full; end += size) {
        size = 500 + static_cast<std::uint32_t>(random->below(20'000));
        if (random->below(100) >= percent) continue;
        set.add({frame, end, size}, 100'000);
        set.add({frame, end, size}, 100'000);
        named += size;
      }
      shape.frames.push_back({100'000, end});
    }
    auto wanted = static_cast<double>(named) / full * 100'000;
    EXPECT_NEAR(static_cast<double>(set.live_bytes()) / wanted, 1, 0.1) << percent;
    EXPECT_NEAR(static_cast<double>(set.live_bytes(shape)) / wanted, 1, 0.1) << percent;
  }
}

// They must not seem to be worth rewriting, again and again.
TEST(FrameSet, AShortFrameThatIsNamedWholeCountsWhole) {
  FrameSet set;
  set.add({0, 0, 100}, 90);
  set.add({1, 0, 40'000}, 30'000);
  EXPECT_EQ(set.live_bytes(), 30'090u);
  EXPECT_EQ(set.live_bytes({{{90, 100}, {30'000, 40'000}}}), 30'090u);
  set.add({2, 60'000, 40'000}, 60'000);
  EXPECT_LT(set.live_bytes(), 70'000u) << "of 90'090";
  EXPECT_NEAR(
      static_cast<double>(set.live_bytes({{{90, 100}, {30'000, 40'000}, {60'000, 100'000}}})),
      54'000, 10'000);
}

TEST(FrameSet, FollowsWhatWasMoved) {
  FrameSet old;
  old.add({3, 0, 64 << 10}, 1000);
  old.add({3, 128 << 10, 64 << 10}, 1000);
  MovedPack moves{"p/a/00000000", {}, {{0, 64 << 10}, {64 << 10, 128 << 10}}};
  MovedFrame moved{3, 0, 7, 8, 800, 64 << 10, 0, 2};
  FrameSet now;
  now.add_moved(old, moves, moved);
  EXPECT_EQ(now.numbers(), std::vector<std::uint32_t>{7});
  // From 64 KiB on the first, then as much that is not named, then the second.
  EXPECT_EQ(now.live_bytes({std::vector<PackShape::Frame>(8, {800, 256 << 10})}), 400u);
  moved.runs = 0;
  FrameSet whole;
  whole.add_moved(old, moves, moved);
  EXPECT_EQ(whole.live_bytes({std::vector<PackShape::Frame>(8, {800, 192 << 10})}), 533u);
}

}  // namespace
}  // namespace lb::repo
