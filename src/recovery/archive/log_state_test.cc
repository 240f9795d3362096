#include "recovery/archive/log_state.h"

#include <gtest/gtest.h>

namespace lb::archive {
namespace {

constexpr std::uint64_t size = 1 << 20;

pg::LogPart part(std::uint64_t segment, Timestamp first, Timestamp last) {
  pg::LogPart out;
  out.info = {{"db-1", 1, segment}, true, 0};
  out.summary.first_commit = pg::Commit{1, segment * size, segment * size + 8, first, false};
  out.summary.last_commit =
      pg::Commit{2, (segment + 1) * size - 100, (segment + 1) * size, last, false};
  return out;
}

class LogStateTest : public testing::Test {
 protected:
  LogStateTest() {
    index.log_id = "db-1";
    index.segment_bytes = size;
    for (const std::uint64_t n : std::vector<std::uint64_t>{2, 3, 6})
      index.parts.push_back(
          part(n, at(100 * static_cast<int>(n)), at(100 * static_cast<int>(n) + 99)));
    index.holes.push_back({1, 4, 5, 4 * size, 6 * size, {}, {}});
    server.segment_bytes = size;
    server.current = "00000001000000000000000A";
  }
  static Timestamp at(int seconds) { return Timestamp(Seconds(seconds)); }
  std::vector<std::pair<std::uint64_t, SegmentState>> states(const LogState& state) {
    std::vector<std::pair<std::uint64_t, SegmentState>> out;
    for (const auto& run : state.runs) {
      for (auto n = run.first; n <= run.last; ++n) out.emplace_back(n, run.state);
    }
    return out;
  }
  pg::LogIndex index;
  pg::ServerLog server;
};

TEST_F(LogStateTest, AHoleIsLostWhenTheServerDoesNotHaveItAndDelayedWhenItDoes) {
  server.segments = {{"000000010000000000000001", "000000010000000000000005",
                      "000000010000000000000006", "000000010000000000000007",
                      "000000010000000000000008"}};
  const auto state = state_of(index, &server, {"000000010000000000000008"}, 0);
  using S = SegmentState;
  const std::vector<std::pair<std::uint64_t, S>> expected = {
      {2, S::found}, {3, S::found},   {4, S::lost},     {5, S::delayed},
      {6, S::found}, {7, S::delayed}, {8, S::uploading}};
  EXPECT_EQ(states(state), expected);
  EXPECT_EQ(state.lost, 1U);
  EXPECT_EQ(state.delayed_bytes, 2 * size);
  EXPECT_FALSE(state.whole());
}

TEST_F(LogStateTest, WithoutTheServerAHoleIsMissing) {
  for (const auto* asked : {static_cast<pg::ServerLog*>(nullptr), &server}) {
    const auto state = state_of(index, asked, {}, 0);
    EXPECT_EQ(state.missing, 2U);
    EXPECT_EQ(state.lost, 0U);
    EXPECT_FALSE(state.whole());
  }
  EXPECT_EQ(state_of(index, nullptr, {}, 5 * size).missing, 1U);
  EXPECT_TRUE(state_of(index, nullptr, {}, 6 * size).whole()) << "a newer point begins after it";
  EXPECT_EQ(states(state_of(index, nullptr, {}, 6 * size)).size(), 5U) << "and it is still shown";
  index.holes.clear();
  EXPECT_TRUE(state_of(index, nullptr, {}, 0).whole());
}

TEST_F(LogStateTest, GrowthIsThatOfTheNewestHour) {
  const auto growth = growth_of(index);
  ASSERT_TRUE(growth);
  EXPECT_EQ(growth->measured, Micros(Seconds(499)));
  EXPECT_NEAR(growth->bytes_per_second, 5.0 * size / 499, 1);
  index.parts.insert(index.parts.begin(), part(1, at(-100'000), at(-99'000)));
  EXPECT_NEAR(growth_of(index)->bytes_per_second, 5.0 * size / 499, 1) << "long ago";
  index.parts.clear();
  EXPECT_FALSE(growth_of(index));
  EXPECT_EQ(*full_after({1024, Seconds(60)}, 1 << 20), Micros(Seconds(1024)));
  EXPECT_FALSE(full_after({0, Seconds(60)}, 1 << 20));
  EXPECT_FALSE(full_after({1, Seconds(60)}, std::uint64_t{1} << 50));
}

}  // namespace
}  // namespace lb::archive
