#include "foundation/sys/random.h"

#include <gtest/gtest.h>

#include <set>

namespace lb {
namespace {

TEST(RealRandom, FillsEveryByteAndNeverRepeats) {
  auto random = real_random();
  auto a = random->bytes(32);
  auto b = random->bytes(32);
  EXPECT_EQ(a.size(), 32u);
  EXPECT_NE(a, b);
  EXPECT_TRUE(random->bytes(0).empty());
  auto large = random->bytes(1 << 20);
  std::set<std::uint8_t> seen(large.end() - 4096, large.end());
  EXPECT_GT(seen.size(), 200u);
}

TEST(SeededRandom, SameSeedSameBytesOtherSeedOthers) {
  EXPECT_EQ(seeded_random(7)->bytes(100), seeded_random(7)->bytes(100));
  EXPECT_NE(seeded_random(7)->bytes(100), seeded_random(8)->bytes(100));
}

TEST(SeededRandom, BelowStaysBelowAndReachesEveryValue) {
  auto random = seeded_random(1);
  std::vector<int> hits(7, 0);
  for (int i = 0; i < 7000; ++i) ++hits[static_cast<std::size_t>(random->below(7))];
  for (int count : hits) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
  EXPECT_EQ(random->below(1), 0u);
  EXPECT_LT(random->below(~std::uint64_t{0}), ~std::uint64_t{0});
}

}  // namespace
}  // namespace lb
