#include "recovery/check/comparison.h"

#include <gtest/gtest.h>

namespace lb::check {
namespace {

using Op = plan::Comparison::Op;

struct Case {
  Op op;
  std::string expected, got;
  bool holds;
};

TEST(Comparison, HoldsForNumbersDurationsSizesTimesAndText) {
  const Case cases[] = {
      {Op::equal, "0", "0", true},
      {Op::equal, "0", "1", false},
      {Op::equal, "12.5", "12.50", true},
      {Op::equal, "12.5", "12.5000001", false},
      {Op::equal, "-0.0", "0", true},
      {Op::not_equal, "0", "00", false},
      {Op::greater_equal, "1", "1", true},
      {Op::greater, "1", "1", false},
      {Op::less, "10", "9", true},
      {Op::less, "-10", "-9", false},
      {Op::greater, "0.1", "0.09", false},
      {Op::less_equal, "1e3", "1000", true},
      // More digits than a double holds: a lost cent must show.
      {Op::equal, "9007199254740993.01", "9007199254740993.02", false},
      {Op::less, "123456789012345678901234567890", "123456789012345678901234567889", true},
      {Op::less, "1h", "00:59:59.5", true},
      {Op::less, "1h", "1 day 00:00:01", false},
      {Op::less, "1h", "-00:30:00", true},
      {Op::equal, "90s", "1m30s", true},
      {Op::greater, "100MiB", "104857601", true},
      {Op::greater, "100MiB", "100MiB", false},
      {Op::greater, "2026-01-13T00:00:00Z", "2026-01-13 02:00:00+01", true},
      {Op::less, "2026-01-13T00:00:00Z", "2026-01-13 02:00:00+01", false},
      {Op::equal, "paid", "paid", true},
      {Op::equal, "paid", "Paid", false},
      {Op::equal, "true", "t", true},
      {Op::equal, "true", "f", false},
      {Op::equal, "5m", "5", false},
  };
  for (const auto& c : cases) {
    plan::Comparison expect;
    expect.op = c.op;
    expect.value = c.expected;
    auto outcome = holds(expect, c.got);
    ASSERT_TRUE(outcome.ok()) << c.expected << " / " << c.got;
    EXPECT_EQ(*outcome, c.holds) << text_of(expect) << " / " << c.got;
  }
}

TEST(Comparison, NullEqualsOnlyTheWordNull) {
  for (auto op : {Op::less, Op::less_equal, Op::greater, Op::greater_equal, Op::equal}) {
    plan::Comparison expect;
    expect.op = op;
    expect.value = "0";
    auto outcome = holds(expect, std::nullopt);
    ASSERT_TRUE(outcome.ok());
    EXPECT_FALSE(*outcome) << text_of(expect);
  }
  plan::Comparison null;
  null.value = "null";
  EXPECT_TRUE(*holds(null, std::nullopt));
  null.op = Op::not_equal;
  EXPECT_FALSE(*holds(null, std::nullopt));
}

TEST(Comparison, RefusesAnOrderBetweenUnlikeThings) {
  plan::Comparison expect;
  expect.op = Op::less;
  expect.value = "2h";
  auto outcome = holds(expect, "apples");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::invalid);
  expect.op = Op::recorded;
  EXPECT_FALSE(holds(expect, "5").ok());
}

TEST(Comparison, ReadsIntervalsOfTheServer) {
  EXPECT_EQ(parse_interval("00:00:01"), Seconds(1));
  EXPECT_EQ(parse_interval("-00:00:01.5"), Micros(-1'500'000));
  EXPECT_EQ(parse_interval("2 days"), std::chrono::hours(48));
  EXPECT_EQ(parse_interval("1 mon 1 day 01:00:00"), std::chrono::hours(31 * 24 + 1));
  EXPECT_EQ(parse_interval(""), std::nullopt);
  EXPECT_EQ(parse_interval("5 apples"), std::nullopt);
  EXPECT_EQ(parse_interval("00:75:00"), std::nullopt);
  EXPECT_EQ(parse_interval("10:00"), std::nullopt);
}

TEST(Comparison, GivesOneTextPerDecimal) {
  EXPECT_EQ(canonical_decimal("012.50"), "12.5");
  EXPECT_EQ(canonical_decimal("-0.00"), "0");
  EXPECT_EQ(canonical_decimal(".5"), "0.5");
  EXPECT_EQ(canonical_decimal("\"7\""), std::nullopt);
  EXPECT_EQ(canonical_decimal("1e3"), std::nullopt);
  EXPECT_EQ(canonical_decimal("-"), std::nullopt);
  EXPECT_EQ(canonical_decimal("."), std::nullopt);
}

}  // namespace
}  // namespace lb::check
