#include <gtest/gtest.h>

#include "foundation/base/time.h"

namespace lb {
namespace {

std::string again(std::string_view text) {
  auto time = parse_time(text);
  return time.ok() ? format_time(*time) : "error: " + time.error().text();
}

TEST(Time, ReadsRfc3339WithAZone) {
  EXPECT_EQ(again("2026-01-13T02:00:00Z"), "2026-01-13T02:00:00Z");
  EXPECT_EQ(again("2026-01-13 02:00:00z"), "2026-01-13T02:00:00Z");
  EXPECT_EQ(again("2026-01-13T02:00:00+02:00"), "2026-01-13T00:00:00Z");
  EXPECT_EQ(again("2026-01-01T00:30:00-00:45"), "2026-01-01T01:15:00Z");
  EXPECT_EQ(again("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00Z");
  EXPECT_EQ(again("2024-02-29T23:59:59.5Z"), "2024-02-29T23:59:59.5Z");
  EXPECT_EQ(again("1969-12-31T23:59:59.999999Z"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(again("2026-01-13T02:00:00.123456789Z"), "2026-01-13T02:00:00.123456Z");
  EXPECT_EQ(again("2026-06-30T23:59:60Z"), "2026-07-01T00:00:00Z");  // leap second
}

TEST(Time, ATimeWithoutZoneIsRefusedWithAHint) {
  auto time = parse_time("2026-01-13T02:00:00");
  ASSERT_FALSE(time.ok());
  EXPECT_NE(time.error().text().find("no time zone"), std::string::npos);
  EXPECT_NE(time.error().hint().find("2026-01-13T02:00:00Z"), std::string::npos);
}

TEST(Time, NonsenseIsRefused) {
  for (std::string bad :
       {"", "now", "2026-01-13", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-01-13T24:00:00Z", "2026-01-13T02:60:00Z", "2026-01-13T02:00:61Z",
        "2026-01-13T02:00:00.Z", "2026-01-13T02:00:00+2", "2026-01-13T02:00:00+24:00",
        "2026-01-13T02:00:00+0200", "2026-01-13T02:00:00Zx", "2026-1-13T02:00:00Z",
        "2026-01-13X02:00:00Z", "-026-01-13T02:00:00Z"}) {
    auto time = parse_time(bad);
    ASSERT_FALSE(time.ok()) << bad;
    EXPECT_EQ(time.error().kind(), ErrorKind::invalid);
  }
}

TEST(Time, MicrosGoThereAndBack) {
  auto time = parse_time("2026-01-13T02:00:00.000001Z").value();
  EXPECT_EQ(from_micros(to_micros(time)), time);
  EXPECT_EQ(to_micros(Timestamp{}), 0);
  EXPECT_EQ(format_time_seconds(time), "2026-01-13T02:00:00Z");
  EXPECT_EQ(format_time_seconds(from_micros(-1)), "1969-12-31T23:59:59Z");
}

TEST(Duration, ReadsOneOrSeveralUnits) {
  using namespace std::chrono;
  EXPECT_EQ(parse_duration("15m").value(), minutes(15));
  EXPECT_EQ(parse_duration("1h30m").value(), minutes(90));
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("7us").value(), Micros(7));
  EXPECT_EQ(parse_duration("6mo").value(), hours(24 * 180));
  EXPECT_EQ(parse_duration("1y").value(), hours(24 * 365));
  EXPECT_EQ(parse_duration("2w").value(), hours(24 * 14));
  EXPECT_EQ(parse_duration("0s").value(), Micros(0));
  for (std::string bad :
       {"", "5", "m", "-5m", "1.5h", "1 h", "1hour", "10000000000s", "1h30", "999999999y"}) {
    auto duration = parse_duration(bad);
    ASSERT_FALSE(duration.ok()) << bad;
    EXPECT_FALSE(duration.error().hint().empty());
  }
  // Each part fits, the sum does not.
  EXPECT_FALSE(parse_duration("100000y100000y").ok());
}

TEST(Duration, FormatIsExactAndReadsBack) {
  using namespace std::chrono;
  for (Micros duration : {Micros(0), Micros(1), Micros(999), Micros(1000), Micros(61'000'001),
                          Micros(hours(25)), Micros(minutes(90)), Micros(hours(24 * 400))}) {
    EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration)
        << format_duration(duration);
  }
  EXPECT_EQ(format_duration(minutes(90)), "1h30m");
  EXPECT_EQ(format_duration(Micros(250'000)), "250ms");
  EXPECT_EQ(format_duration(-minutes(90)), "-1h30m");
}

TEST(Duration, HumanForm) {
  using namespace std::chrono;
  EXPECT_EQ(human_duration(Micros(0)), "0 s");
  EXPECT_EQ(human_duration(Micros(1)), "< 1 ms");
  EXPECT_EQ(human_duration(milliseconds(12)), "12 ms");
  EXPECT_EQ(human_duration(Micros(999'900)), "1.0 s");  // not "1000 ms"
  EXPECT_EQ(human_duration(milliseconds(3200)), "3.2 s");
  EXPECT_EQ(human_duration(milliseconds(59'990)), "1 min 00 s");  // not "60.0 s"
  EXPECT_EQ(human_duration(seconds(125)), "2 min 05 s");
  EXPECT_EQ(human_duration(minutes(125)), "2 h 05 min");
  EXPECT_EQ(human_duration(hours(50)), "2 d 02 h");
  EXPECT_EQ(human_duration(-seconds(5)), "-5.0 s");
}

}  // namespace
}  // namespace lb
