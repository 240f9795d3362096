#include "stores/postgres/commit_after.h"

#include <gtest/gtest.h>

#include "stores/postgres/memory_repository.h"

namespace lb::pg {
namespace {

constexpr auto segment = SyntheticWal::segment_bytes;
Timestamp at(int seconds) { return from_micros(1'768'000'000'000'000 + seconds * 1'000'000LL); }

// Commits 10 and 20 in one segment, two segments without any, then commit 30.
struct Fixture {
  SyntheticWal wal;
  MemoryRepository log;
  SnapshotDetails snapshot;
  Lsn behind10 = 0, behind20 = 0, behind30 = 0;

  explicit Fixture(const std::set<std::uint64_t>& missing = {}) {
    wal.running(10, 10);
    wal.commit(10, at(10));
    behind10 = wal.end();
    snapshot = MemoryRepository::snapshot_details(segment + 40, behind10);
    wal.filler(1'000);
    wal.commit(20, at(20));
    behind20 = wal.end();
    wal.filler(2'500'000);
    wal.commit(30, at(30));
    behind30 = wal.end();
    wal.filler(1'000);
    log.store(wal, missing);
  }
  std::optional<Commit> after(Lsn from) {
    auto index = read_log_index(log, MemoryRepository::log_id, segment).take();
    auto found = first_commit_from(index, snapshot, 1, from, log);
    EXPECT_TRUE(found.ok()) << found.error().text();
    return found.ok() ? *found : std::nullopt;
  }
};

TEST(CommitAfter, IsTheNextOneInTheLogHoweverFar) {
  Fixture fixture;
  auto next = fixture.after(fixture.behind10);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->xid, 20u);
  EXPECT_EQ(next->time, at(20));
  auto far = fixture.after(fixture.behind20);
  ASSERT_TRUE(far.has_value());
  EXPECT_EQ(far->xid, 30u);
  EXPECT_EQ(far->end_lsn, fixture.behind30);
  EXPECT_FALSE(fixture.after(fixture.behind30).has_value()) << "the log ends without another";
}

TEST(CommitAfter, IsNotLookedForBehindAHole) {
  Fixture fixture({3});
  EXPECT_TRUE(fixture.after(fixture.behind10).has_value());
  EXPECT_FALSE(fixture.after(fixture.behind20).has_value());
}

TEST(CommitAfter, NeedsATimelineThatDescendsFromTheSnapshot) {
  Fixture fixture;
  auto index = read_log_index(fixture.log, MemoryRepository::log_id, segment).take();
  auto found = first_commit_from(index, fixture.snapshot, 7, fixture.behind10, fixture.log);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().exit_code(), ExitCode::point_unreachable);
}

}  // namespace
}  // namespace lb::pg
