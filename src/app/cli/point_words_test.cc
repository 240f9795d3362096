#include "app/cli/point_words.h"

#include <gtest/gtest.h>

namespace lb::cli {
namespace {

using Kind = pg::Wanted::Kind;

TEST(PointWords, EachKindIsReadBack) {
  EXPECT_EQ(wish_of("latest")->wanted.kind, Kind::latest);
  auto time = wish_of("2026-01-13T02:14:05.123456Z");
  ASSERT_TRUE(time.ok());
  EXPECT_EQ(time->wanted.kind, Kind::time);
  EXPECT_EQ(format_time(time->wanted.time), "2026-01-13T02:14:05.123456Z");
  auto point = wish_of(words_of_point("06FQ0KZ4"));
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->wanted.kind, Kind::snapshot);
  EXPECT_EQ(point->snapshot, "06FQ0KZ4");
  auto place = wish_of("lsn 0/5A3F28");
  ASSERT_TRUE(place.ok());
  EXPECT_EQ(place->wanted.kind, Kind::lsn);
  EXPECT_EQ(place->wanted.lsn, 0x5A3F28u);
  EXPECT_FALSE(wish_of("lsn nowhere").ok());
  EXPECT_FALSE(wish_of("yesterday").ok());
}

TEST(PointWords, WhatNamesOnePointExactly) {
  EXPECT_TRUE(names_exactly("point 06FQ0KZ4"));
  EXPECT_TRUE(names_exactly("lsn 0/5A3F28"));
  EXPECT_FALSE(names_exactly("latest"));
  EXPECT_FALSE(names_exactly("2026-01-13T02:14:05Z"));
}

}  // namespace
}  // namespace lb::cli
