#include "stores/postgres/restore.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

// Rows 1 to 9, one transaction each, with the time and place of every commit.
class PointInTime : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (PostgresServer::missing()) return;
    backup_ = std::make_unique<TakenBackup>();
    auto& server = backup_->server();
    server.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    server.sql("INSERT INTO t VALUES (0, 'before')");
    backup_->back_up();
    for (int i = 1; i <= 9; ++i) {
      server.sql(cat("INSERT INTO t VALUES (", i, ", repeat('x', 2000))"));
      if (i == 4) server.sql("SELECT pg_create_restore_point('after four')");
      if (i % 3 == 0) server.sql("SELECT pg_switch_wal()");
    }
    backup_->archive();
  }
  static void TearDownTestSuite() { backup_.reset(); }
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
  void TearDown() override {
    if (backup_) backup_->archive();  // what a test took out of the repository
  }
  Timestamp committed(int id) {
    auto text = backup_->server().value(
        cat("SELECT to_char(pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', "
            "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM t WHERE id = ",
            id));
    return parse_time(text).take();
  }
  std::uint32_t transaction(int id) {
    return static_cast<std::uint32_t>(
        std::stoul(backup_->server().value(cat("SELECT xmin FROM t WHERE id = ", id))));
  }
  void expect_newest(const Wanted& wanted, int id) {
    auto restored = backup_->restore_to(wanted);
    ASSERT_TRUE(restored.ok()) << restored.error().text();
    EXPECT_EQ(value_of(**restored, "SELECT max(id) || ' ' || count(*) FROM t"),
              cat(id, " ", id + 1));
    auto expected = id > 0 ? std::optional(committed(id)) : (*restored)->reached().last_commit;
    EXPECT_EQ((*restored)->reached().last_commit, expected);
    EXPECT_TRUE((*restored)->shut_down().ok());
  }
  static std::unique_ptr<TakenBackup> backup_;  // one server for all; each test restores anew
};
std::unique_ptr<TakenBackup> PointInTime::backup_;

TEST_F(PointInTime, Latest) {
  auto restored = backup_->restore_to({});
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  auto& server = **restored;
  EXPECT_EQ(value_of(server, "SELECT count(*) FROM t"), "10");
  EXPECT_EQ(value_of(server, "SHOW archive_mode"), "off");
  EXPECT_EQ(value_of(server, "SHOW listen_addresses"), "");
  EXPECT_EQ(value_of(server, "SHOW primary_conninfo"), "");
  EXPECT_EQ(value_of(server, "SHOW lifeboat.run"), backup_->run_marker);
  EXPECT_EQ(value_of(server, "SHOW fsync"), "off");
  EXPECT_EQ(server.reached().timeline, 1u);
  EXPECT_GT(server.reached().log_bytes, 3u << 20);
  EXPECT_EQ(value_of(server, "INSERT INTO t VALUES (99, 'writable') RETURNING id"), "99");
}

TEST_F(PointInTime, Time) {
  expect_newest({.kind = Wanted::Kind::time, .time = committed(5)}, 5);
  expect_newest({.kind = Wanted::Kind::time, .time = committed(5) - Micros(1)}, 4);
}

TEST_F(PointInTime, NameAndCommit) {
  expect_newest({.kind = Wanted::Kind::name, .name = "after four"}, 4);
  expect_newest({.kind = Wanted::Kind::before_commit, .xid = transaction(8)}, 7);
}

TEST_F(PointInTime, SnapshotAndLsn) {
  expect_newest({.kind = Wanted::Kind::snapshot}, 0);
  auto target = backup_->resolve_to({.kind = Wanted::Kind::before_commit, .xid = transaction(3)});
  ASSERT_TRUE(target.ok());
  expect_newest({.kind = Wanted::Kind::lsn, .lsn = *target->stop_lsn}, 2);
}

TEST_F(PointInTime, TheNewestCommitByItsTime) {
  auto last = backup_->resolve_to({});
  ASSERT_TRUE(last.ok());
  auto restored =
      backup_->restore_to({.kind = Wanted::Kind::time, .time = last->last_commit->time});
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  EXPECT_EQ((*restored)->reached().last_commit, last->last_commit->time);
}

TEST_F(PointInTime, AMissingSegmentBoundsWhatCanBeReached) {
  auto one = committed(1);
  auto five = committed(5);
  auto whole = backup_->resolve_to({.kind = Wanted::Kind::before_commit, .xid = transaction(5)});
  ASSERT_TRUE(whole.ok());
  backup_->repository.drop_segment(whole->needed.back().name);
  auto beyond = backup_->resolve_to({.kind = Wanted::Kind::time, .time = five});
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().exit_code(), ExitCode::point_unreachable);
  EXPECT_NE(beyond.error().text().find("is missing"), std::string::npos) << beyond.error().text();
  expect_newest({.kind = Wanted::Kind::time, .time = one}, 1);
}

TEST_F(PointInTime, ASegmentLostAfterTheDecisionAbortsReplay) {
  auto target = backup_->resolve_to({});
  ASSERT_TRUE(target.ok());
  backup_->repository.drop_segment(target->needed[target->needed.size() / 2].name);
  auto restored = backup_->restore(*target);
  ASSERT_FALSE(restored.ok());
  EXPECT_NE(restored.error().text().find("WAL 0000000100000000"), std::string::npos)
      << restored.error().text();
}

TEST_F(PointInTime, ATargetBeyondTheLogIsNotTakenForReached) {
  auto target = backup_->resolve_to({});
  ASSERT_TRUE(target.ok());
  target->stop_lsn = target->log_end + (1 << 20);
  auto restored = backup_->restore(*target);
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().exit_code(), ExitCode::point_unreachable) << restored.error().text();
  EXPECT_NE(restored.error().text().find("recovery ended before"), std::string::npos)
      << restored.error().text();
}

TEST_F(PointInTime, AnOrdinaryDataDirectoryRemains) {
  auto target = backup_->resolve_to({});
  ASSERT_TRUE(target.ok());
  auto restored = backup_->restore(*target, false);
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  EXPECT_EQ(value_of(**restored, "SHOW fsync"), "on");
  auto ended = (*restored)->shut_down();
  ASSERT_TRUE(ended.ok()) << ended.error().text();
  auto& files = *backup_->real.files;
  auto in = [&](const char* name) { return path_join(backup_->folder, name); };
  for (const char* gone :
       {"recovery.signal", "postmaster.pid", "postgresql.conf.restored",
        "postgresql.auto.conf.restored", "pg_hba.conf.restored", "backup_label"}) {
    EXPECT_FALSE(*path_exists(files, in(gone))) << gone;
  }
  auto bytes = read_file(files, in("postgresql.conf"), 1 << 20).take();
  auto configuration = std::string(text_of(bytes));
  EXPECT_NE(configuration.find("Restored by Lifeboat"), std::string::npos);
  EXPECT_NE(configuration.find("archive_mode = off"), std::string::npos);
  EXPECT_NE(configuration.find("wal_keep_size"), std::string::npos)
      << "the restored settings are back";
  EXPECT_EQ(configuration.find("lifeboat.run"), std::string::npos);
}

TEST(RestoreUnderLoad, RowDeltasMakeRecordedCountsExact) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  TakenBackup backup({.settings = {{"max_prepared_transactions", "10"}}});
  auto& server = backup.server();
  server.run_tool({"pgbench", "-i", "-s", "1", "-q", "postgres"});
  server.sql(
      "CREATE TABLE work (id serial, v text); INSERT INTO work (v) SELECT 'a' FROM "
      "generate_series(1, 500)");
  server.sql("CREATE TABLE two (id int); INSERT INTO two VALUES (1)");
  auto load = server.start_tool({"pgbench", "-c", "4", "-T", "60", "postgres"});
  backup.back_up();
  server.sql("BEGIN; INSERT INTO two VALUES (2); PREPARE TRANSACTION 'open'");
  // What the fingerprint of a backup holds: counts and the snapshot they were made in.
  auto counted = server.rows(
      "SELECT (SELECT count(*) FROM pgbench_history), (SELECT count(*) FROM work),"
      " (SELECT count(*) FROM two), pg_current_snapshot()");
  server.sql(
      "BEGIN; INSERT INTO work (v) VALUES ('b'); SAVEPOINT s; DELETE FROM work WHERE id <= 100;"
      " ROLLBACK TO s; DELETE FROM work WHERE id <= 10; COMMIT");
  server.sql("COPY work (v) FROM PROGRAM 'seq 1 5000'");
  server.sql(
      "CREATE UNIQUE INDEX ON work (id);"
      " INSERT INTO work SELECT g, 'c' FROM generate_series(5, 30) g ON CONFLICT DO NOTHING");
  server.sql("BEGIN; DELETE FROM work; ROLLBACK");
  server.sql("COMMIT PREPARED 'open'");
  load->signal(15);
  load->wait();
  backup.archive();
  auto restored = backup.restore_to({});
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  auto deltas = (*restored)->row_deltas(counted[0][3]);
  ASSERT_TRUE(deltas.ok()) << deltas.error().text();
  const char* tables[] = {"pgbench_history", "work", "two"};
  for (std::size_t i = 0; i < 3; ++i) {
    auto filenode = std::stoul(server.value(cat("SELECT pg_relation_filenode('", tables[i], "')")));
    std::int64_t delta = 0;
    for (const auto& [relation, rows] : *deltas) delta += relation.filenode == filenode ? rows : 0;
    EXPECT_EQ(std::to_string(std::stoll(counted[0][i]) + delta),
              value_of(**restored, cat("SELECT count(*) FROM ", tables[i])))
        << tables[i];
    EXPECT_NE(delta, 0) << tables[i];
  }
}

TEST(RestoreTablespaces, LieInsideTheTarget) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  TakenBackup backup;
  auto& server = backup.server();
  backup.real.files->make_directory(server.folder() + "/space", 0700).take();
  test::give_to_server_user(server.folder() + "/space");
  server.sql(cat("CREATE TABLESPACE fast LOCATION '", server.folder(), "/space'"));
  server.sql(
      "CREATE TABLE t (id int) TABLESPACE fast; INSERT INTO t SELECT generate_series(1, 1000)");
  backup.details.tablespaces.push_back({1, "fast", server.folder() + "/space"});
  backup.back_up();
  server.sql("INSERT INTO t VALUES (0)");
  backup.archive();
  auto restored = backup.restore_to({});
  ASSERT_TRUE(restored.ok()) << restored.error().text();
  EXPECT_EQ(value_of(**restored, "SELECT count(*) FROM t"), "1001");
  auto place = value_of(
      **restored, "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'fast'");
  EXPECT_TRUE(place.starts_with(backup.folder + "/lifeboat_tablespaces/")) << place;
}

}  // namespace
}  // namespace lb::pg
