#include "foundation/codec/time_zone.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "foundation/base/text.h"

namespace lb {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string zone_bytes(const std::string& name) { return bytes_of("/usr/share/zoneinfo/" + name); }

Result<TimeZone> zone(const std::string& name) {
  return TimeZone::parse(view_of(zone_bytes(name)));
}

// A file of version 2 with one type and this last line.
std::string with_rule(const std::string& rule, std::int32_t offset = 0) {
  std::string block(44, '\0');
  block.replace(0, 5, "TZif2");
  block[39] = 1;  // types
  block[43] = 4;  // characters
  std::string type(6, '\0');
  for (int i = 0; i < 4; ++i)
    type[static_cast<std::size_t>(i)] =
        static_cast<char>(static_cast<std::uint32_t>(offset) >> (24 - 8 * i));
  block += type + std::string("LMT\0", 4);
  return block + block + "\n" + rule + "\n";
}

std::string shown(const Result<TimeZone>& zone, std::int64_t seconds) {
  return zone.ok() ? cat(zone->offset_at(Timestamp(Seconds(seconds))).count()) : "refused";
}

Timestamp time(const std::string& text) { return parse_time(text).take(); }
LocalTime wall(const std::string& text) {
  return LocalTime(std::chrono::floor<Seconds>(time(text + "Z")).time_since_epoch());
}

TEST(TimeZone, WithoutAFileIsUtc) {
  EXPECT_EQ(TimeZone().offset_at(time("2026-07-01T00:00:00Z")), Seconds(0));
  EXPECT_EQ(TimeZone().first_moment(wall("2026-07-01T12:00:00")), time("2026-07-01T12:00:00Z"));
}

TEST(TimeZone, BerlinAroundTheChanges) {
  auto berlin = zone("Europe/Berlin");
  if (!berlin.ok()) GTEST_SKIP() << "no time zones here (apt-get install tzdata)";
  const auto offset = [&](const char* text) { return berlin->offset_at(time(text)).count(); };
  EXPECT_EQ(offset("2026-03-29T00:59:59Z"), 3600);
  EXPECT_EQ(offset("2026-03-29T01:00:00Z"), 7200);
  EXPECT_EQ(offset("2026-10-25T00:59:59Z"), 7200);
  EXPECT_EQ(offset("2026-10-25T01:00:00Z"), 3600);
  EXPECT_EQ(offset("2380-07-01T00:00:00Z"), 7200);  // long after what is listed
  // 02:30 does not exist: the first moment that shows more is 03:00.
  EXPECT_EQ(berlin->first_moment(wall("2026-03-29T02:30:00")), time("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin->first_moment(wall("2026-03-29T02:00:00")), time("2026-03-29T01:00:00Z"));
  EXPECT_EQ(berlin->first_moment(wall("2026-03-29T01:59:59")), time("2026-03-29T00:59:59Z"));
  // 02:30 happens twice: the first of them.
  EXPECT_EQ(berlin->first_moment(wall("2026-10-25T02:30:00")), time("2026-10-25T00:30:00Z"));
  EXPECT_EQ(berlin->first_moment(wall("2026-10-25T03:00:00")), time("2026-10-25T02:00:00Z"));
  EXPECT_EQ(berlin->local(time("2026-07-01T10:00:00Z")), wall("2026-07-01T12:00:00"));
}

TEST(TimeZone, RulesOfAllForms) {
  const auto in = [&](const char* text) {
    return std::chrono::floor<Seconds>(time(text)).time_since_epoch().count();
  };
  const auto july = in("2026-07-01T00:00:00Z"), january = in("2026-01-01T00:00:00Z");
  EXPECT_EQ(shown(TimeZone::parse(view_of(with_rule("UTC0"))), july), "0");
  EXPECT_EQ(shown(TimeZone::parse(view_of(with_rule("<+0530>-5:30"))), july), "19800");
  auto south = TimeZone::parse(view_of(with_rule("AEST-10AEDT,M10.1.0,M4.1.0/3")));
  EXPECT_EQ(shown(south, january), "39600");
  EXPECT_EQ(shown(south, july), "36000");
  // 1 March is day 60 without leap days, and day 60 counted from zero in a leap year.
  for (const char* rule : {"AAA0BBB,J60/0,J61/0", "AAA0BBB,M3.1.0/0,M3.5.0/0"}) {
    auto leap = TimeZone::parse(view_of(with_rule(rule)));
    EXPECT_EQ(shown(leap, in("2024-03-03T00:00:00Z")), rule[8] == 'J' ? "0" : "3600") << rule;
    EXPECT_EQ(shown(leap, in("2024-02-29T23:59:59Z")), "0") << rule;
  }
  auto days = TimeZone::parse(view_of(with_rule("AAA0BBB-2,60/0,61/0")));
  EXPECT_EQ(shown(days, in("2024-03-01T00:00:00Z")), "7200");
  EXPECT_EQ(shown(days, in("2025-03-01T00:00:00Z")), "0");
  // All the year round: an end that lies beyond the year.
  auto always = TimeZone::parse(view_of(with_rule("EST5EDT,0/0,J365/25")));
  EXPECT_EQ(shown(always, july), "-14400");
  EXPECT_EQ(shown(always, january), "-14400");
  auto odd = TimeZone::parse(view_of(with_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")));  // Nuuk
  EXPECT_EQ(shown(odd, in("2026-03-28T23:59:59Z")), "-7200");
  EXPECT_EQ(shown(odd, in("2026-03-29T01:00:00Z")), "-3600");
}

TEST(TimeZone, DamageIsRefused) {
  for (const char* rule :
       {"X0", "AAA", "AAA25", "AAA0BBB", "AAA0BBB,M0.1.0,M3.1.0", "AAA0BBB,M3.6.0,M3.1.0",
        "AAA0BBB,M3.1.7,M3.1.0", "AAA0BBB,J0,J5", "AAA0BBB,366,5", "AAA0BBB,1,2,3", "<AAA0",
        "AAA0BBB,M3.1.0/168,M4.1.0", "AAA0:60", "AAA0 "})
    EXPECT_EQ(shown(TimeZone::parse(view_of(with_rule(rule))), 0), "refused") << rule;
  EXPECT_EQ(shown(TimeZone::parse(view_of(with_rule("UTC0", 100'000))), 0), "refused");
  EXPECT_EQ(shown(TimeZone::parse({}), 0), "refused");
  const auto berlin = zone_bytes("Europe/Berlin");
  for (std::size_t size = 0; size + 1 < berlin.size(); size += 7)
    EXPECT_FALSE(TimeZone::parse(view_of(berlin).first(size)).ok()) << size;
  EXPECT_FALSE(TimeZone::parse(Buffer(2 << 20)).ok());
}

// Held against another reader of the same files.
TEST(TimeZone, AgreesWithPythonEverywhere) {
  constexpr const char* program = R"(/usr/bin/python3 - <<'EOF'
import zoneinfo, datetime, random
random.seed(4711)
for name in sorted(zoneinfo.available_timezones()):
    if name.startswith(('posix', 'right')) or name in ('localtime', 'posixrules', 'Factory'):
        continue
    zone = zoneinfo.ZoneInfo(name)
    for i in range(40):
        at = random.randrange(-3000000000, 6000000000)
        local = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).astimezone(zone)
        print(name, at, int(local.utcoffset().total_seconds()))
EOF)";
  std::FILE* out = ::popen(program, "r");
  ASSERT_NE(out, nullptr);
  std::map<std::string, TimeZone> zones;
  std::array<char, 256> line{};
  std::size_t compared = 0;
  while (std::fgets(line.data(), line.size(), out) != nullptr) {
    auto words = split(trim(std::string_view(line.data())), ' ');
    ASSERT_EQ(words.size(), 3U);
    if (!zones.contains(words[0])) {
      auto read = zone(words[0]);
      ASSERT_TRUE(read.ok()) << words[0] << ": " << read.error().text();
      zones.emplace(words[0], std::move(read).take());
    }
    const Timestamp at(Seconds(parse_int(words[1]).take()));
    ASSERT_EQ(zones[words[0]].offset_at(at).count(), parse_int(words[2]).take())
        << words[0] << " at " << format_time(at);
    const auto& read = zones[words[0]];
    // There and back: the first moment is this one, or an earlier one that shows the same.
    const auto back = read.first_moment(read.local(at));
    ASSERT_LE(back, at) << words[0] << " at " << format_time(at);
    ASSERT_EQ(read.local(back), read.local(at)) << words[0] << " at " << format_time(at);
    ++compared;
  }
  ::pclose(out);
  if (compared == 0) GTEST_SKIP() << "Python has no time zones here";
  EXPECT_GT(zones.size(), 300U);
}

}  // namespace
}  // namespace lb
