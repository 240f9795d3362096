#include "recovery/retain/retain.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb::retain {
namespace {

using Ids = std::vector<std::string>;
constexpr Micros hour = std::chrono::hours(1), day = 24 * hour;

Timestamp at(const std::string& text) { return parse_time(text).take(); }
const Timestamp now = parse_time("2026-03-31T12:00:00Z").take();  // a Tuesday

Point point(const std::string& id, Timestamp taken, const std::string& store = "db") {
  Point out;
  out.id = id;
  out.store = store;
  out.taken = taken;
  return out;
}

// One every `step`, the newest at `now`: "p0" is the newest.
std::vector<Point> series(int count, Micros step) {
  std::vector<Point> out;
  for (int i = 0; i < count; ++i) out.push_back(point(cat("p", i), now - i * step));
  return out;
}

Ids kept(const RetentionPlan& plan) {
  Ids out;
  for (const auto& each : plan.decisions) {
    if (each.kept()) out.push_back(each.point.id);
  }
  return out;
}

RetentionPlan decide(const std::vector<Point>& points, const plan::Retain& policy,
                     Timestamp when = now) {
  return plan_prune(points, policy, {"db", "media"}, when);
}

std::string why(const RetentionPlan& plan, const std::string& id) {
  for (const auto& each : plan.decisions) {
    if (each.point.id == id) return join(each.why, ", ");
  }
  return "no such point";
}

plan::Retain policy(const std::string& text) {
  plan::Retain out;
  for (const auto& part : split(text, ' ')) {
    auto pair = split(part, ':');
    auto time = parse_duration(pair[1]).take();
    if (pair[0] == "hourly") out.hourly = time;
    if (pair[0] == "daily") out.daily = time;
    if (pair[0] == "weekly") out.weekly = time;
    if (pair[0] == "monthly") out.monthly = time;
    if (pair[0] == "yearly") out.yearly = time;
    if (pair[0] == "pitr") out.pitr = time;
  }
  return out;
}

struct Case {
  std::string name;
  std::string policy;
  int count;
  Micros step;
  std::size_t kept;
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

// A period that the time cuts counts like a whole one.
class Policies : public testing::TestWithParam<Case> {};

TEST_P(Policies, KeepSoMany) {
  const auto& given = GetParam();
  auto plan = decide(series(given.count, given.step), policy(given.policy));
  EXPECT_EQ(kept(plan).size(), given.kept) << join(kept(plan), " ");
  EXPECT_EQ(plan.forgotten(), static_cast<std::size_t>(given.count) - given.kept);
}

INSTANTIATE_TEST_SUITE_P(Retain, Policies,
                         testing::Values(Case{"hourly", "hourly:7d", 24 * 30, hour, 24 * 7},
                                         Case{"twice an hour", "hourly:1d", 96, hour / 2, 25},
                                         Case{"daily", "daily:30d", 24 * 60, hour, 31},
                                         Case{"weekly", "weekly:28d", 90, day, 5},
                                         Case{"monthly", "monthly:1y", 500, day, 12},
                                         Case{"yearly", "yearly:5y", 3000, day, 6},
                                         Case{"both, shared points count once",
                                              "hourly:1d daily:3d", 96, hour, 26},
                                         Case{"nothing is old enough", "daily:30d", 10, day, 10},
                                         Case{"one point", "hourly:1d", 1, day, 1}));

TEST(Retention, KeepsTheNewestOfEachPeriod) {
  auto plan =
      decide({point("a", at("2026-03-30T01:00:00Z")), point("b", at("2026-03-30T23:59:59Z")),
              point("c", at("2026-03-31T00:00:00Z")), point("d", at("2026-03-31T11:00:00Z"))},
             policy("daily:7d"));
  EXPECT_EQ(kept(plan), (Ids{"b", "d"}));
  EXPECT_EQ(why(plan, "b"), "daily");
  EXPECT_EQ(why(plan, "d"), "newest, daily");
}

TEST(Retention, WeeksBeginOnMonday) {
  auto plan = decide(
      {point("saturday", at("2026-03-28T12:00:00Z")), point("sunday", at("2026-03-29T12:00:00Z")),
       point("monday", at("2026-03-30T12:00:00Z")), point("tuesday", at("2026-03-31T12:00:00Z"))},
      policy("weekly:28d"));
  EXPECT_EQ(kept(plan), (Ids{"sunday", "tuesday"}));
}

TEST(Retention, WithoutAPolicyEverythingStays) {
  auto plan = decide(series(50, day), {});
  EXPECT_EQ(plan.forgotten(), 0u);
  EXPECT_EQ(why(plan, "p49"), "the plan has no retain:");
}

TEST(Retention, TheNewestStaysWhateverThePolicySays) {
  auto plan = decide(series(5, day), policy("hourly:0s"));
  EXPECT_EQ(kept(plan), Ids{"p0"});
}

TEST(Retention, AgesCountFromTheNewestPointNotFromTheClock) {
  auto points = series(20, day);
  auto today = kept(decide(points, policy("daily:7d")));
  EXPECT_EQ(today.size(), 7u);
  EXPECT_EQ(kept(decide(points, policy("daily:7d"), now + 365 * day)), today)
      << "backups stopped, or the clock is a year ahead";
}

TEST(Retention, PointsFromTheFutureStayAndDoNotCount) {
  auto points = series(10, day);
  points.push_back(point("future", now + 365 * day));
  auto plan = decide(points, policy("daily:3d"));
  EXPECT_EQ(kept(plan), (Ids{"p2", "p1", "p0", "future"}));
  EXPECT_EQ(why(plan, "future"), "from the future");
}

TEST(Retention, HeldProvenAndDamagedPointsStay) {
  auto points = series(10, day);
  points[9].held = repo::Hold{"audit", "ann", now, std::nullopt};
  points[8].proven = points[7].proven = true;
  points[6].damaged = true;
  auto plan = decide(points, policy("daily:2d"));
  EXPECT_EQ(kept(plan), (Ids{"p9", "p7", "p6", "p1", "p0"}));
  EXPECT_EQ(why(plan, "p9"), "held");
  EXPECT_EQ(why(plan, "p7"), "newest proven") << "the one proven before it has done its duty";
}

// Backups of a source with damaged pages go on, and must not drive out what was taken before.
TEST(Retention, PointsWithDamagedPagesDriveNoSoundOneOut) {
  auto points = series(60, day);
  for (std::size_t i = 0; i < 40; ++i) points[i].flawed = true;
  auto plan = decide(points, policy("daily:7d"));
  EXPECT_EQ(why(plan, "p40"), "newest without damaged pages, daily");
  EXPECT_EQ(why(plan, "p46"), "daily") << "seven days from the newest sound one, not from now";
  EXPECT_EQ(why(plan, "p47"), "");
  EXPECT_EQ(why(plan, "p0"), "newest, daily");
  EXPECT_EQ(why(plan, "p39"), "daily") << "there is no other of that day";
  // Mended: the first sound one counts again, and the rest goes with time.
  points[0].flawed = false;
  plan = decide(points, policy("daily:7d"));
  EXPECT_EQ(why(plan, "p0"), "newest, daily");
  EXPECT_EQ(plan.forgotten(), 53u);
}

TEST(Retention, OfOnePeriodASoundPointIsKept) {
  auto points = series(5, hour);
  points[0].flawed = points[1].flawed = true;
  auto plan = decide(points, policy("daily:7d"));
  EXPECT_EQ(kept(plan), (Ids{"p2", "p0"}));
  EXPECT_EQ(why(plan, "p2"), "newest without damaged pages, daily");
  EXPECT_EQ(why(plan, "p0"), "newest");
  for (auto& point : points) point.flawed = true;
  EXPECT_EQ(kept(decide(points, policy("daily:7d"))), Ids{"p0"}) << "nothing better is there";
}

TEST(Retention, StoresAreJudgedApartAndForeignOnesStay) {
  std::vector<Point> points = {point("a", now - 50 * day, "media"), point("b", now, "db"),
                               point("c", now - 40 * day, "db"),
                               point("x", now - 90 * day, "gone")};
  auto plan = decide(points, policy("daily:7d"));
  EXPECT_EQ(kept(plan), (Ids{"b", "x", "a"}));
  EXPECT_EQ(why(plan, "x"), "its store is not in the plan");
}

TEST(Retention, SaysWhichStoresLoseMoreThanHalf) {
  EXPECT_EQ(decide(series(10, day), policy("daily:4d")).halved(), Ids{"db"});
  EXPECT_TRUE(decide(series(10, day), policy("daily:5d")).halved().empty());
}

// Five bases, ten days apart, all on one log.
std::vector<Point> bases(std::vector<int> chains) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    auto age = static_cast<int>(chains.size() - 1 - i) * 10;
    out.push_back(point(cat("b", age), now - age * day));
    out.back().chain = chains[i];
    out.back().chain_end = now;
  }
  return out;
}

TEST(Retention, ThePitrWindowKeepsTheBaseBelowItsStart) {
  auto plan = decide(bases({1, 1, 1, 1, 1}), policy("daily:1d pitr:15d"));
  EXPECT_EQ(kept(plan), (Ids{"b20", "b0"}));
  EXPECT_EQ(why(plan, "b20"), "pitr 15d");
}

TEST(Retention, APitrWindowThatIsLongerThanTheLogKeepsTheFirstBase) {
  EXPECT_EQ(kept(decide(bases({1, 1, 1}), policy("daily:1d pitr:60d"))), (Ids{"b20", "b0"}));
}

TEST(Retention, AHoleInTheLogNeedsABaseOnEitherSide) {
  auto points = bases({1, 1, 2, 2, 2});
  points[0].chain_end = points[1].chain_end = now - 25 * day;
  EXPECT_EQ(kept(decide(points, policy("daily:1d pitr:32d"))), (Ids{"b40", "b20", "b0"}));
  EXPECT_EQ(kept(decide(points, policy("daily:1d pitr:22d"))), (Ids{"b20", "b0"}))
      << "what lies before the hole is out of the window";
}

TEST(Retention, PitrAloneThinsNothingWithinItsWindow) {
  EXPECT_EQ(kept(decide(bases({1, 1, 1, 1, 1}), policy("pitr:15d"))), (Ids{"b20", "b10", "b0"}));
  EXPECT_EQ(kept(decide(series(30, day), policy("pitr:10d"))).size(), 11u) << "without a log";
}

TEST(Retention, APitrWindowHasASoundBaseBesideAFlawedOne) {
  auto points = bases({1, 1, 1, 1, 1});
  points[2].flawed = true;
  auto plan = decide(points, policy("daily:1d pitr:15d"));
  EXPECT_EQ(kept(plan), (Ids{"b30", "b20", "b0"}));
  for (const auto& each : plan.decisions)
    EXPECT_EQ(each.anchors_pitr, each.point.id == "b30" || each.point.id == "b20");
}

std::map<std::string, std::vector<std::uint64_t>> stored(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> segments;
  for (auto i = first; i < end; ++i) segments.push_back(i);
  return {{"db-1", segments}};
}
using Ranges = std::vector<repo::LogRange>;

TEST(RemovableLog, IsWhatNoKeptBaseNeeds) {
  std::vector<BaseLog> all = {
      {"db-1", 10, 12, false, false}, {"db-1", 20, 21, true, false}, {"db-1", 30, 31, true, true}};
  EXPECT_EQ(removable_log(all, stored(5, 40))["db-1"], (Ranges{{5, 20}, {22, 30}}));
  all[1].open = true;
  EXPECT_EQ(removable_log(all, stored(5, 40))["db-1"], (Ranges{{5, 20}}));
}

TEST(RemovableLog, IsAllOfALogWhoseBasesAreForgotten) {
  std::vector<BaseLog> all = {{"db-1", 10, 12, false, false}, {"db-2", 1, 2, true, true}};
  EXPECT_EQ(removable_log(all, stored(5, 40))["db-1"], (Ranges{{5, 40}}));
}

TEST(RemovableLog, LeavesALogThatHasNoBaseYet) {
  EXPECT_TRUE(removable_log({}, stored(5, 40)).empty());
}

}  // namespace
}  // namespace lb::retain
