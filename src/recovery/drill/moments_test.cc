#include "recovery/drill/moments.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

#include "stores/postgres/log_index.h"

namespace lb::drill {
namespace {

constexpr std::uint64_t segment = 1 << 20;

Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

// A store whose log has one segment every ten seconds, its last commit in the ninth of them.
class Store {
 public:
  Store() {
    points_.store = "db";
    points_.kind = plan::StoreKind::postgres;
    log_.log_id = "L";
    log_.segment_bytes = segment;
  }
  // Taken at the beginning of that segment.
  Store& base(int number) {
    pg::SnapshotDetails details;
    details.log_id = "L";
    details.system_identifier = "7";
    details.segment_bytes = segment;
    details.timeline = 1;
    details.start_lsn = lsn(number) + 40;
    details.stop_lsn = lsn(number) + 100;
    repo::SnapshotInfo info;
    info.id = cat("base", number);
    info.meta.store = "db";
    info.meta.taken = at(number * 10);
    info.meta.details = pg::encode(details).dump();
    points_.snapshots.push_back(info);
    return *this;
  }
  Store& segments(int first, int last) {
    for (int number = first; number <= last; ++number) {
      pg::LogPart part;
      part.info.name = {"L", 1, static_cast<std::uint64_t>(number)};
      part.info.complete = true;
      part.summary.first_lsn = lsn(number);
      part.summary.end_lsn = lsn(number + 1);
      part.summary.timeline = 1;
      pg::Commit commit{1, lsn(number) + 200, lsn(number) + 300, at(number * 10 + 9), false};
      part.summary.first_commit = part.summary.last_commit = commit;
      part.summary.min_commit_time = part.summary.max_commit_time = commit.time;
      part.summary.commits = 1;
      log_.parts.push_back(part);
    }
    return *this;
  }
  std::vector<restore::StorePoints> points() const {
    auto out = points_;
    out.logs = {log_};
    return {out};
  }

 private:
  static pg::Lsn lsn(int number) { return static_cast<std::uint64_t>(number) * segment; }
  restore::StorePoints points_;
  pg::LogIndex log_;
};

AuditRange range_of(const Store& store, int end, int window) {
  return audit_range(store.points(), at(end), Seconds(window));
}

TEST(AuditRange, GoesFromTheOldestBaseToTheLastCommitArchived) {
  auto store = Store().base(1).base(5).segments(1, 8);
  auto range = range_of(store, 1000, 10'000);
  EXPECT_EQ(range.from, at(10));
  EXPECT_EQ(range.to, at(89)) << "not the end of the log, and not now";
  EXPECT_TRUE(range.shorter);
  EXPECT_NE(range.ends_because.find("last commit archived of db"), std::string::npos);
  EXPECT_TRUE(range.gaps.empty());
}

TEST(AuditRange, FilesThatBeganBeforeTheFirstBaseDoNotCount) {
  auto stores = Store().base(1).segments(1, 8).points();
  restore::StorePoints files{"media", plan::StoreKind::files, {}, {}};
  for (int taken : {5, 30, 60}) {
    repo::SnapshotInfo info;
    info.meta.started = at(taken - 1);
    info.meta.taken = at(taken);
    files.snapshots.push_back(info);
  }
  stores.push_back(files);
  auto range = audit_range(stores, at(1000), Seconds(10'000));
  EXPECT_EQ(range.from, at(30)) << "of second 5 there is no base yet";
  stores[1].snapshots.resize(1);
  auto nothing = audit_range(stores, at(1000), Seconds(10'000));
  EXPECT_LT(nothing.to, nothing.from);
  EXPECT_EQ(nothing.from, at(1000)) << "a time that a record can hold";
  EXPECT_TRUE(draw_moments(nothing, 10, 1).empty());
}

TEST(AuditRange, IsTheWindowWhereTheRepositoryHoldsMore) {
  auto range = range_of(Store().base(1).segments(1, 8), 60, 20);
  EXPECT_EQ(range.from, at(40));
  EXPECT_EQ(range.to, at(60));
  EXPECT_FALSE(range.shorter);
}

TEST(AuditRange, AMissingSegmentCutsOffAllUpToTheNextBase) {
  auto range = range_of(Store().base(1).base(6).segments(1, 3).segments(5, 8), 1000, 10'000);
  ASSERT_EQ(range.gaps.size(), 1u);
  EXPECT_EQ(range.gaps[0].after, at(39));
  EXPECT_EQ(range.gaps[0].before, at(60));
  EXPECT_EQ(range.to, at(89)) << "a hole does not make the window end";
}

TEST(AuditRange, WithoutAnotherBaseTheGapGoesToTheEnd) {
  auto range = range_of(Store().base(1).segments(1, 3).segments(5, 8), 1000, 10'000);
  ASSERT_EQ(range.gaps.size(), 1u);
  EXPECT_EQ(range.gaps[0].after, at(39));
  EXPECT_EQ(range.gaps[0].before, at(89));
  EXPECT_NE(range.gaps[0].text.find("db cannot go to any moment between"), std::string::npos);
}

TEST(AuditRange, GapsOutsideOfTheWindowAreOfNoConcern) {
  auto store = Store().base(1).base(6).segments(1, 3).segments(5, 8);
  EXPECT_TRUE(range_of(store, 1000, 925).gaps.empty());
  EXPECT_TRUE(range_of(store, 30, 10).gaps.empty());
}

TEST(AuditRange, AWindowBehindTheLogHoldsNothing) {
  auto range = range_of(Store().base(1).segments(1, 8), 1000, 100);
  EXPECT_LT(range.to, range.from);
  EXPECT_TRUE(draw_moments(range, 10, 1).empty());
}

TEST(DrawMoments, OneWholeSecondInEachEqualPart) {
  AuditRange range{at(0), at(0) + Seconds(30 * 24 * 3600), {}, false, ""};
  auto moments = draw_moments(range, 30, 4711);
  ASSERT_EQ(moments.size(), 30u);
  for (int day = 0; day < 30; ++day) {
    auto moment = moments[static_cast<std::size_t>(day)];
    EXPECT_GE(moment, at(day * 24 * 3600)) << day;
    EXPECT_LE(moment, at((day + 1) * 24 * 3600)) << day;
    EXPECT_EQ(std::chrono::floor<Seconds>(moment), moment);
  }
}

TEST(DrawMoments, TheSeedDecidesAndNothingElse) {
  AuditRange range{at(0), at(100'000), {}, false, ""};
  auto moments = draw_moments(range, 5, 1);
  EXPECT_EQ(moments, draw_moments(range, 5, 1));
  EXPECT_NE(moments, draw_moments(range, 5, 2));
  // For ever: a report of today must be repeatable by later versions.
  std::vector<std::int64_t> offsets;
  for (auto moment : moments) offsets.push_back((moment - at(0)) / Seconds(1));
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{2465, 28519, 50590, 60235, 81152}));
}

TEST(DrawMoments, StaysInsideARangeThatBeginsAndEndsWithinASecond) {
  AuditRange range{at(0) + Micros(1), at(3) + Micros(999'999), {}, false, ""};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto moments = draw_moments(range, 10, seed);
    EXPECT_EQ(moments, (std::vector<Timestamp>{at(1), at(2), at(3)})) << "no second twice";
  }
  AuditRange tiny{at(0) + Micros(1), at(0) + Micros(9), {}, false, ""};
  EXPECT_TRUE(draw_moments(tiny, 10, 7).empty());
}

TEST(DrawMoments, AGapThatChanceDidNotMeetIsTriedAllTheSame) {
  AuditRange range{at(0), at(100'000), {{at(50), at(52), "gap"}}, false, ""};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto moments = draw_moments(range, 2, seed);
    EXPECT_NE(std::find(moments.begin(), moments.end(), at(51)), moments.end()) << seed;
    EXPECT_TRUE(std::is_sorted(moments.begin(), moments.end()));
  }
  range.gaps[0].before = at(50) + Micros(10);
  auto moments = draw_moments(range, 2, 1);
  ASSERT_EQ(moments.size(), 3u);
  EXPECT_NE(std::find(moments.begin(), moments.end(), at(50) + Micros(5)), moments.end());
}

}  // namespace
}  // namespace lb::drill
