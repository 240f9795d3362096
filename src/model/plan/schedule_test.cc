#include "model/plan/schedule.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/base/time.h"

namespace lb::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Schedule schedule(std::string_view text) {
  auto out = parse_schedule(text);
  EXPECT_TRUE(out.ok()) << text << ": " << (out.ok() ? "" : out.error().message());
  return out.ok() ? *out : Schedule();
}

std::string next(std::string_view text, std::string_view after) {
  auto time = next_time(schedule(text), parse_time(after).take());
  return time ? format_time(*time) : "never";
}

TEST(Schedule, NextTime) {
  struct Row {
    std::string_view text, after, next;
  };
  const Row rows[] = {
      {"hourly", "2026-01-13T02:00:00Z", "2026-01-13T03:00:00Z"},
      {"hourly", "2026-01-13T02:59:59.999999Z", "2026-01-13T03:00:00Z"},
      {"30m", "2026-01-13T02:00:00Z", "2026-01-13T02:30:00Z"},
      {"every 30m", "2026-01-13T02:29:59Z", "2026-01-13T02:30:00Z"},
      {"daily", "2026-01-13T00:00:00Z", "2026-01-14T00:00:00Z"},
      {"daily 02:00", "2026-01-13T01:59:59Z", "2026-01-13T02:00:00Z"},
      {"daily 2:00", "2026-01-13T02:00:00Z", "2026-01-14T02:00:00Z"},
      {"sunday 02:00", "2026-01-13T00:00:00Z", "2026-01-18T02:00:00Z"},
      {"Sun 02:00", "2026-01-18T02:00:00Z", "2026-01-25T02:00:00Z"},
      {"weekdays 06:30", "2026-01-16T06:30:00Z", "2026-01-19T06:30:00Z"},
      {"weekly", "2026-01-13T00:00:00Z", "2026-01-18T00:00:00Z"},
      {"month day 1 03:00", "2026-01-13T00:00:00Z", "2026-02-01T03:00:00Z"},
      {"month day 31 03:00", "2026-02-01T00:00:00Z", "2026-03-31T03:00:00Z"},
      {"monthly", "2026-12-13T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"quarterly", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"},
      {"quarterly day 15 04:00", "2026-01-15T04:00:00Z", "2026-04-15T04:00:00Z"},
      {"yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"0 2 * * *", "2026-01-13T02:00:00Z", "2026-01-14T02:00:00Z"},
      {"*/15 8-10 * * mon-fri", "2026-01-16T10:45:00Z", "2026-01-19T08:00:00Z"},
      {"5/20 * * * *", "2026-01-13T02:25:00Z", "2026-01-13T02:45:00Z"},
      {"0 0 29 feb *", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z"},
      {"0 0 1,15 * *", "2026-01-02T00:00:00Z", "2026-01-15T00:00:00Z"},
      {"0 0 * * 7", "2026-01-13T00:00:00Z", "2026-01-18T00:00:00Z"},
      {"0 0 * * 5-7", "2026-01-17T00:00:00Z", "2026-01-18T00:00:00Z"},
      // Cron's own rule: with both restricted, either day will do.
      {"0 0 13 * fri", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"},
      {"0 0 13 * fri", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"},
      // A star with a step does not restrict: both must match.
      {"0 0 */2 * fri", "2026-01-13T00:00:00Z", "2026-01-23T00:00:00Z"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(next(row.text, row.after), row.next) << row.text << " after " << row.after;
}

TEST(Schedule, WorksBefore1970) {
  EXPECT_EQ(next("30m", "1969-12-31T23:29:00Z"), "1969-12-31T23:30:00Z");
  EXPECT_EQ(next("daily 02:00", "1969-12-31T03:00:00Z"), "1970-01-01T02:00:00Z");
}

TEST(Schedule, KnowsItsLongestGap) {
  auto from = parse_time("2026-01-13T00:00:00Z").take();
  EXPECT_EQ(longest_gap(schedule("hourly"), from), hours(1));
  EXPECT_EQ(longest_gap(schedule("45m"), from), minutes(45));
  EXPECT_EQ(longest_gap(schedule("daily 02:00"), from), hours(24));
  EXPECT_EQ(longest_gap(schedule("0 8-18 * * *"), from), hours(14));
  EXPECT_EQ(longest_gap(schedule("0 8-18 * * mon-fri"), from), hours(62));
  EXPECT_EQ(longest_gap(schedule("sunday 02:00"), from), hours(24 * 7));
  EXPECT_EQ(longest_gap(schedule("month day 1 03:00"), from), hours(24 * 31));
  EXPECT_EQ(longest_gap(schedule("quarterly"), from), hours(24 * 92));
  EXPECT_EQ(longest_gap(schedule("yearly"), from), hours(24 * 366));
  EXPECT_EQ(longest_gap(schedule("*/7 * * * *"), from), minutes(7));
  EXPECT_EQ(longest_gap(schedule("0 0 29 2 *"), from), hours(24 * 1461));
}

TEST(Schedule, NeverIsNeverAndHasNoEnd) {
  Schedule never;
  EXPECT_FALSE(next_time(never, from_micros(0)).has_value());
  EXPECT_EQ(longest_gap(never, from_micros(0)), Micros::max());
}

TEST(Schedule, SaysWhatIsWrong) {
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {
      {"", "a schedule is missing"},
      {"hourli", "'hourli' is not a schedule"},
      {"hourly 02:00", "'hourly' is not a schedule"},
      {"60 * * * *", "minute 60 is not within 0-59"},
      {"0 24 * * *", "hour 24 is not within 0-23"},
      {"0 0 0 * *", "day 0 is not within 1-31"},
      {"0 0 * 13 *", "month 13 is not within 1-12"},
      {"0 0 * foo *", "'foo' is not a month"},
      {"0 0 * * 8", "weekday 8 is not within 0-7"},
      {"0 0 * * fri-mon", "weekday range 'fri-mon' runs backwards"},
      {"*/0 * * * *", "'0' is not a step of the minute"},
      {"*/x * * * *", "'x' is not a step of the minute"},
      {"0 0 * *", "cron has five fields, here are 4"},
      {"0 0 * * * *", "cron has five fields, here are 6"},
      {"0 0 31 2 *", "'0 0 31 2 *' never comes"},
      {"0 0 31 4,6,9,11 *", "'0 0 31 4,6,9,11 *' never comes"},
      {"sunday 25:00", "hour 25 is not within 0-23"},
      {"sunday 2am", "'2am' is not a time of day"},
      {"sunday 02:00 03:00", "'03:00' is too much for a schedule"},
      {"month day 32 03:00", "day 32 is not within 1-31"},
      {"30s", "'30s' is less than a minute"},
      {"30x", "'30x' is not a schedule"},
      {"1,,2 * * * *", "'' is not a minute"},
  };
  for (const auto& row : rows) {
    auto result = parse_schedule(row.text);
    ASSERT_FALSE(result.ok()) << row.text;
    EXPECT_EQ(result.error().message(), row.message);
    EXPECT_NE(result.error().hint().find("sunday 02:00"), std::string::npos);
  }
}

}  // namespace
}  // namespace lb::plan
