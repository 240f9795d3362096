#include <gtest/gtest.h>

#include "foundation/base/text.h"

#include "stores/postgres/log_index.h"
#include "stores/postgres/memory_repository.h"

namespace lb::pg {
namespace {

constexpr auto segment = SyntheticWal::segment_bytes;
Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }
const Timestamp now = at(1000);

// A snapshot that is consistent after the first commit (xid 10 at second 10), then commits 20, 30,
// 40 and 50 at these seconds, a restore point in between, four segments; a last record without
// commit.
struct Fixture {
  SyntheticWal wal;
  MemoryRepository log;
  SnapshotDetails snapshot;
  Lsn commit10 = 0, commit20 = 0, commit30 = 0, commit40 = 0, commit50 = 0, point = 0;

  explicit Fixture(const std::set<std::uint64_t>& missing = {}) {
    wal.running(10, 10);
    commit10 = wal.commit(10, at(10));
    snapshot = MemoryRepository::snapshot_details(segment + 40, wal.end());
    wal.filler(100'000);
    commit20 = wal.commit(20, at(20));
    wal.restore_point("release", at(25));
    point = wal.end();
    wal.switch_segment();
    commit30 = wal.commit(30, at(30));
    wal.filler(2'500'000);  // to segment 4
    commit40 = wal.commit(40, at(40));
    wal.switch_segment();
    commit50 = wal.commit(50, at(50));
    wal.filler(1'000);
    log.store(wal, missing);
  }
  Result<RecoveryTarget> ask(const Wanted& wanted) {
    auto index = read_log_index(log, MemoryRepository::log_id, segment);
    EXPECT_TRUE(index.ok()) << index.error().text();
    return resolve(*index, snapshot, wanted, now, log);
  }
  Result<RecoveryTarget> ask_time(Timestamp time) {
    return ask({.kind = Wanted::Kind::time, .time = time});
  }
  Result<RecoveryTarget> ask_lsn(Lsn lsn) { return ask({.kind = Wanted::Kind::lsn, .lsn = lsn}); }
};

void expect_unreachable(const Result<RecoveryTarget>& result, const std::string& text,
                        const std::string& hint) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().exit_code(), ExitCode::point_unreachable) << result.error().text();
  EXPECT_NE(result.error().text().find(text), std::string::npos) << result.error().text();
  EXPECT_NE(result.error().hint().find(hint), std::string::npos) << result.error().hint();
}

TEST(Resolve, LatestReplaysAllThereIs) {
  Fixture fixture;
  auto target = fixture.ask({});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_FALSE(target->stop_lsn.has_value());
  EXPECT_FALSE(target->at_consistency);
  EXPECT_EQ(target->timeline, 1u);
  EXPECT_EQ(target->start, fixture.snapshot.start_lsn);
  EXPECT_EQ(target->log_end, fixture.wal.end());
  EXPECT_EQ(target->last_commit->xid, 50u);
  EXPECT_EQ(target->needed.size(), 5u);
}

TEST(Resolve, TheSnapshotItselfNeedsOnlyItsOwnLog) {
  Fixture fixture({3});
  auto target = fixture.ask({.kind = Wanted::Kind::snapshot});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_TRUE(target->at_consistency);
  EXPECT_FALSE(target->stop_lsn.has_value());
  EXPECT_EQ(target->last_commit->xid, 10u);
  EXPECT_EQ(target->needed.size(), 1u);
}

TEST(Resolve, ATimeStopsBeforeTheFirstLaterCommit) {
  struct Case {
    Timestamp wanted;
    Lsn Fixture::*stop;
    std::uint32_t last;
    std::size_t needed;
  };
  const Case cases[] = {
      {at(10), &Fixture::commit20, 10, 1}, {at(19), &Fixture::commit20, 10, 1},
      {at(20), &Fixture::commit30, 20, 2}, {at(39), &Fixture::commit40, 30, 4},
      {at(40), &Fixture::commit50, 40, 5}, {at(49), &Fixture::commit50, 40, 5},
  };
  for (const auto& example : cases) {
    Fixture fixture;
    auto target = fixture.ask_time(example.wanted);
    ASSERT_TRUE(target.ok()) << target.error().text();
    EXPECT_EQ(*target->stop_lsn, fixture.*example.stop) << format_time(example.wanted);
    EXPECT_FALSE(target->inclusive);
    EXPECT_EQ(target->last_commit->xid, example.last) << format_time(example.wanted);
    EXPECT_EQ(target->needed.size(), example.needed) << format_time(example.wanted);
    EXPECT_EQ(*target->stop_time, example.wanted);
  }
}

TEST(Resolve, TheTimeOfTheLastCommitIncludesIt) {
  Fixture fixture;
  auto target = fixture.ask_time(at(50));
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(*target->stop_lsn, fixture.commit50);
  EXPECT_TRUE(target->inclusive);
  EXPECT_EQ(target->last_commit->xid, 50u);
}

TEST(Resolve, ATimeAfterTheLastCommitIsRefusedWithThatCommit) {
  Fixture fixture;
  expect_unreachable(fixture.ask_time(at(51)), "lies beyond the archived log",
                     "transaction 50 at 2026-01-09T23:07:30Z");
  expect_unreachable(fixture.ask_time(at(51)), "the last commit reachable is transaction 50",
                     "can be reached");
}

TEST(Resolve, TheFutureIsRefused) {
  Fixture fixture;
  expect_unreachable(fixture.ask_time(now + Seconds(1)), "in the future", "transaction 50");
}

TEST(Resolve, ATimeBeforeTheSnapshotIsRefused) {
  Fixture fixture;
  expect_unreachable(fixture.ask_time(at(9)), "before the snapshot is consistent",
                     "older snapshot");
}

TEST(Resolve, AHoleBoundsTimeLsnAndLatest) {
  Fixture fixture({3});
  auto inside = fixture.ask_time(at(31));
  expect_unreachable(inside, "WAL 000000010000000000000003 is missing", "transaction 30");
  EXPECT_NE(inside.error().text().find("the last commit reachable is transaction 30"),
            std::string::npos);
  expect_unreachable(fixture.ask_time(at(49)), "hole", "transaction 30");
  expect_unreachable(fixture.ask_lsn(fixture.commit40), "hole", "transaction 30");
  expect_unreachable(fixture.ask({}), "the latest point", "transaction 30");
  auto before = fixture.ask_time(at(20));
  ASSERT_TRUE(before.ok()) << before.error().text();
  EXPECT_EQ(*before->stop_lsn, fixture.commit30);
}

TEST(Resolve, AHoleInTheSnapshotsOwnLogRefusesEverything) {
  Fixture fixture({1});
  for (auto kind : {Wanted::Kind::latest, Wanted::Kind::snapshot, Wanted::Kind::time}) {
    expect_unreachable(fixture.ask({.kind = kind, .time = at(20)}), "WAL 000000010000000000000001",
                       "another snapshot");
  }
  Fixture cut;
  cut.log.cut(1, 100);
  expect_unreachable(cut.ask({.kind = Wanted::Kind::snapshot}), "000000010000000000000001",
                     "another");
}

TEST(Resolve, AnLsnStopsAfterTheLastRecordBeforeIt) {
  Fixture fixture;
  auto exact = fixture.ask_lsn(fixture.commit20);
  ASSERT_TRUE(exact.ok());
  EXPECT_EQ(*exact->stop_lsn, fixture.commit20);
  EXPECT_FALSE(exact->inclusive);
  EXPECT_EQ(exact->last_commit->xid, 10u);
  auto within = fixture.ask_lsn(fixture.commit20 + 16);
  ASSERT_TRUE(within.ok());
  EXPECT_EQ(*within->stop_lsn, fixture.commit20);
  auto inside_big = fixture.ask_lsn(fixture.commit30 + 2'000'000);
  ASSERT_TRUE(inside_big.ok()) << inside_big.error().text();
  EXPECT_GT(*inside_big->stop_lsn, fixture.commit30);
  EXPECT_LT(*inside_big->stop_lsn, fixture.commit30 + 200);
  EXPECT_EQ(inside_big->last_commit->xid, 30u);
  EXPECT_EQ(inside_big->needed.size(), 4u);
  auto end = fixture.ask_lsn(fixture.wal.end());
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->stop_lsn.has_value());
}

TEST(Resolve, AnLsnOutsideTheLogIsRefused) {
  Fixture fixture;
  expect_unreachable(fixture.ask_lsn(fixture.wal.end() + 1), "beyond the archived log",
                     "transaction 50");
  expect_unreachable(fixture.ask_lsn(fixture.snapshot.stop_lsn - 8), "before the snapshot",
                     "older");
  EXPECT_TRUE(fixture.ask_lsn(fixture.snapshot.stop_lsn).ok());
}

TEST(Resolve, ANamedPointIsFound) {
  Fixture fixture;
  auto target = fixture.ask({.kind = Wanted::Kind::name, .name = "release"});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(*target->stop_lsn, fixture.point);
  EXPECT_EQ(target->stop_name, "release");
  EXPECT_EQ(target->last_commit->xid, 20u);
  expect_unreachable(fixture.ask({.kind = Wanted::Kind::name, .name = "releese"}), "'releese'",
                     "did you mean 'release'?");
}

TEST(Resolve, ANameSetTwiceIsAskedBack) {
  Fixture fixture;
  fixture.wal.restore_point("release", at(60));
  fixture.log.store(fixture.wal);
  expect_unreachable(fixture.ask({.kind = Wanted::Kind::name, .name = "release"}), "set 2 times",
                     format_lsn(fixture.point));
}

TEST(Resolve, BeforeACommitByTransactionOrPlace) {
  Fixture fixture;
  auto by_xid = fixture.ask({.kind = Wanted::Kind::before_commit, .xid = 40});
  ASSERT_TRUE(by_xid.ok()) << by_xid.error().text();
  EXPECT_EQ(*by_xid->stop_lsn, fixture.commit40);
  EXPECT_FALSE(by_xid->inclusive);
  EXPECT_EQ(by_xid->last_commit->xid, 30u);
  auto by_lsn = fixture.ask({.kind = Wanted::Kind::before_commit, .lsn = fixture.commit50});
  ASSERT_TRUE(by_lsn.ok()) << by_lsn.error().text();
  EXPECT_EQ(*by_lsn->stop_lsn, fixture.commit50);
  EXPECT_EQ(by_lsn->last_commit->xid, 40u);
  expect_unreachable(fixture.ask({.kind = Wanted::Kind::before_commit, .xid = 41}),
                     "transaction 41", "50");
  expect_unreachable(fixture.ask({.kind = Wanted::Kind::before_commit, .xid = 10}),
                     "before the snapshot", "");
  expect_unreachable(
      fixture.ask({.kind = Wanted::Kind::before_commit, .lsn = fixture.commit40 + 8}),
      "is not in the log", "");
  expect_unreachable(fixture.ask({.kind = Wanted::Kind::before_commit, .lsn = fixture.wal.end()}),
                     "beyond", "");
}

TEST(Resolve, CommitsOutOfOrderStopAtTheFirstLaterOneAsTheServerWould) {
  SyntheticWal wal;
  wal.running(10, 10);
  auto stop = wal.end();
  auto later = wal.commit(11, at(12));
  wal.commit(12, at(11));
  wal.commit(13, at(13));
  MemoryRepository log;
  log.store(wal);
  auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
  auto snapshot = MemoryRepository::snapshot_details(segment + 40, stop);
  auto target = resolve(index, snapshot, {.kind = Wanted::Kind::time, .time = at(11)}, now, log);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(*target->stop_lsn, later);
  EXPECT_FALSE(target->last_commit.has_value());
}

TEST(Resolve, AForeignLogIsCorrupt) {
  Fixture fixture;
  fixture.snapshot.system_identifier = "123";
  auto target = fixture.ask({});
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.error().kind(), ErrorKind::corrupt);
}

// Timeline 1 to the middle of segment 3, then timeline 2; the old server wrote on a little.
struct Failover {
  MemoryRepository log;
  SyntheticWal old_wal, new_wal;
  SnapshotDetails snapshot;
  Lsn left_at = 0;

  Failover() {
    for (auto* wal : {&old_wal, &new_wal}) {
      wal->running(10, 10);
      snapshot = MemoryRepository::snapshot_details(segment + 40, wal->end());
      wal->commit(11, at(11));
      wal->filler(2'200'000);
      wal->commit(12, at(12));
      left_at = wal->end();
    }
    old_wal.commit(13, at(13));  // lost in the failover
    new_wal.set_timeline(2);
    new_wal.commit(14, at(14));
    new_wal.filler(2'000'000);
    new_wal.commit(15, at(15));
    log.store(old_wal, {}, 1);
    log.store(new_wal, {1, 2}, 2);
    log.put_history(MemoryRepository::log_id, 2,
                    view_of(cat("1\t", format_lsn(left_at), "\tpromoted\n")))
        .take();
  }
  Result<RecoveryTarget> ask(const Wanted& wanted) {
    auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
    return resolve(index, snapshot, wanted, now, log);
  }
};

TEST(Resolve, FollowsTheNewestTimeline) {
  Failover failover;
  auto target = failover.ask({});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(target->timeline, 2u);
  EXPECT_EQ(target->last_commit->xid, 15u);
  ASSERT_EQ(target->needed.size(), 5u);
  EXPECT_EQ(target->needed[1].name.timeline, 1u);
  EXPECT_EQ(target->needed[2].name.timeline, 2u);
  EXPECT_EQ(target->needed[2].name.segment, 3u);
}

TEST(Resolve, AnOlderTimelineCanBeAskedFor) {
  Failover failover;
  auto target = failover.ask({.timeline = 1});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(target->timeline, 1u);
  EXPECT_EQ(target->last_commit->xid, 13u);
}

TEST(Resolve, WithoutTheChildsCopyTheParentsSegmentServesToTheSwitch) {
  Failover failover;
  for (std::uint64_t number = 3; number < 6; ++number) failover.log.drop(number, 2);
  auto target = failover.ask({.timeline = 2});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(target->log_end, failover.left_at);
  EXPECT_EQ(target->last_commit->xid, 12u);
}

TEST(Resolve, ATimelineThatDoesNotDescendIsRefused) {
  Failover failover;
  failover.snapshot.stop_lsn = failover.left_at + 100;  // taken on timeline 1 after the switch
  expect_unreachable(failover.ask({.timeline = 2}), "timeline 2 does not descend",
                     "newest timeline that does is 1");
  expect_unreachable(failover.ask({.timeline = 9}), "timeline 9 does not descend", "");
}

TEST(Resolve, ReadsOnlyTheSegmentsAroundThePoint) {
  SyntheticWal wal;
  wal.running(10, 10);
  auto stop = wal.end();
  for (int i = 0; i < 30; ++i) {
    wal.commit(static_cast<std::uint32_t>(100 + i), at(i));
    wal.filler(700'000);
  }
  MemoryRepository log;
  log.store(wal);
  auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
  auto snapshot = MemoryRepository::snapshot_details(segment + 40, stop);
  auto target = resolve(index, snapshot, {.kind = Wanted::Kind::time, .time = at(20)}, now, log);
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->last_commit->xid, 120u);
  EXPECT_LE(log.log_reads(), 3);
}

}  // namespace
}  // namespace lb::pg
