#include "stores/postgres/stream_place.h"

namespace lb::pg {
namespace {

constexpr std::uint64_t mib = 1 << 20;

repo::LogInfo part(std::uint32_t timeline, std::uint64_t segment, std::uint64_t tail = 0) {
  return {{"db-1", timeline, segment}, tail == 0, tail == 0 ? mib : tail};
}

// Timeline 2 left 1 in the middle of segment 5; 3 left 2 at the very beginning of segment 9.
const ServerLine server{3, {{2, 1, 5 * mib + 1000}, {3, 2, 9 * mib}}};

StreamPlace place(const std::vector<repo::LogInfo>& stored, const ServerLine& line = server) {
  const auto found = place_after(stored, mib, line);
  EXPECT_TRUE(found.ok() && found->has_value());
  return found.ok() && *found ? **found : StreamPlace{};
}

TEST(PlaceAfter, NothingStoredHasNoPlace) {
  const auto found = place_after({}, mib, server);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->has_value());
}

TEST(PlaceAfter, GoesOnBehindWholeSegmentsAndAtTheStartOfTails) {
  const ServerLine first{1, {}};
  EXPECT_EQ(place({part(1, 3), part(1, 4)}, first).at, 5 * mib);
  EXPECT_EQ(place({part(1, 3), part(1, 4, 77)}, first).at, 4 * mib);
  EXPECT_EQ(place({part(1, 4, 77)}, first).timeline, 1u);
}

TEST(PlaceAfter, TakesTheRestOfAnOldTimelineFirst) {
  const StreamPlace found = place({part(1, 3)});
  EXPECT_EQ(found.timeline, 1u);
  EXPECT_EQ(found.at, 4 * mib);
  EXPECT_EQ(place({part(1, 5, 900)}).timeline, 1u);
  EXPECT_EQ(place({part(1, 5, 1000)}).remark, "");
}

TEST(PlaceAfter, LogBeyondTheSwitchIsToldAndLeft) {
  const StreamPlace found = place({part(1, 5)});
  EXPECT_EQ(found.timeline, 2u);
  EXPECT_EQ(found.at, 5 * mib);
  EXPECT_NE(found.remark.find("lost by the failover"), std::string::npos);
  EXPECT_NE(place({part(1, 5, 1001)}).remark, "");
}

TEST(PlaceAfter, ASwitchAtASegmentsBeginLeavesNothingToFetch) {
  const StreamPlace found = place({part(2, 8)});
  EXPECT_EQ(found.timeline, 3u);
  EXPECT_EQ(found.at, 9 * mib);
  EXPECT_EQ(found.remark, "");
}

TEST(PlaceAfter, AForeignLineIsRefused) {
  const auto old_primary = place_after({part(2, 8)}, mib, ServerLine{1, {}});
  ASSERT_FALSE(old_primary.ok());
  EXPECT_EQ(old_primary.error().exit_code(), ExitCode::refused);
  const ServerLine other{4, {{4, 1, 5 * mib}}};
  EXPECT_FALSE(place_after({part(2, 8)}, mib, other).ok());
}

}  // namespace
}  // namespace lb::pg
