#include <atomic>
#include <mutex>
#include <thread>

#include "foundation/base/text.h"
#include "stores/postgres/laid_out.h"
#include "stores/postgres/log_fetch.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/running_stream.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresOptions;
using test::PostgresServer;
using test::StopMode;

// With a spool on this host, and without.
class StreamTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
  void start(PostgresOptions options = {}) {
    options.segment_mib = 1;
    options.settings.emplace_back("wal_keep_size", "1GB");
    server_ = PostgresServer::start(options);
  }
  std::string position(const PostgresServer& server) {
    return server.value("SELECT pg_current_wal_flush_lsn()");
  }
  void write(const PostgresServer& server, int rows = 2000) {
    server.sql(
        cat("CREATE TABLE IF NOT EXISTS w (i int, t text); INSERT INTO w SELECT i, "
            "md5(i::text) FROM generate_series(1, ",
            rows, ") i"));
  }
  std::string log_id() {
    return "db-" + server_->value("SELECT system_identifier FROM pg_control_system()");
  }
  // Every stored byte of the log is the byte of the server's own file, and no segment is missing.
  std::uint64_t expect_same_log(const PostgresServer& server, std::uint32_t timeline = 1) {
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> before;
    for (const repo::LogInfo& info : repository_.logs(log_id()).take()) {
      if (info.name.timeline != timeline) continue;
      EXPECT_EQ(info.name.segment, before.value_or(info.name.segment - 1) + 1);
      before = info.name.segment;
      const Buffer stored = repository_.get_log(info.name).take();
      const std::string name = segment_name(timeline, info.name.segment, 1 << 20);
      const auto theirs = read_file(*world_.files, server.data() + "/pg_wal/" + name, 1 << 20);
      EXPECT_TRUE(theirs.ok()) << name;
      if (!theirs.ok()) return bytes;
      EXPECT_TRUE(std::equal(stored.begin(), stored.end(), theirs->begin())) << name;
      bytes += stored.size();
    }
    return bytes;
  }

  StreamOptions how(Micros tail_interval = std::chrono::milliseconds(200),
                    std::uint32_t admitted_timeline = 0) const {
    StreamOptions out;
    out.tail_interval = tail_interval;
    out.admitted_timeline = admitted_timeline;
    if (GetParam()) out.spool_folder = dir_ / "spool";
    return out;
  }
  // A stream that ended in good order left nothing in its spool.
  void expect_empty_spool() {
    const auto left = left_in_spool(*world_.files, dir_ / "spool", log_id());
    ASSERT_TRUE(left.ok()) << left.error().text();
    EXPECT_EQ(*left, 0u);
  }

  test::TempDir dir_;
  TestWorld world_;
  MemoryRepository repository_;
  std::unique_ptr<PostgresServer> server_;
};

// With the stream named in synchronous_standby_names a commit returns when it is in the repository.
TEST_P(StreamTest, CommitsThatWaitForTheStreamAreDurableWhenTheyReturn) {
  start();
  server_->sql("CREATE TABLE marks (at pg_lsn)");
  server_->set("synchronous_standby_names", "lifeboat_stream");
  server_->reload();
  // The first part is durable after the interval; from then on the server counts on the stream.
  RunningStream stream(world_.world, repository_, server_->conninfo(), how(Seconds(3)));
  while (server_->value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") !=
         "1")
    pause();
  for (int n = 0; n < 30; ++n) {
    server_->sql("INSERT INTO marks SELECT pg_current_wal_insert_lsn()");
    const Lsn written = parse_lsn(server_->value("SELECT max(at) FROM marks")).take();
    ASSERT_GT(stream.status().acknowledged, written);
    const StreamStatus status = stream.status();
    ASSERT_TRUE(GetParam() || status.durable == status.acknowledged);
  }
}

TEST_P(StreamTest, StreamsEveryByteUnderLoad) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "1", "postgres"});
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  server_->run_tool({"pgbench", "-c", "3", "-t", "600", "-n", "postgres"});
  const std::string end = position(*server_);
  stream.wait_durable(end);
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  const StreamStatus status = stream.status();
  EXPECT_EQ(status.slot, "lifeboat_db");
  EXPECT_EQ(status.slot_state, "reserved");
  EXPECT_EQ(status.gap, "");
  ASSERT_TRUE(status.last_commit.has_value());
  EXPECT_LT(status.at - *status.last_commit, Seconds(600));
  EXPECT_TRUE(stream.stop().ok());
  EXPECT_EQ(stream.troubles(), "");
  expect_empty_spool();
  EXPECT_GT(expect_same_log(*server_), 2u << 20);
  // The slot was told only what is durable, and all of it in the end.
  EXPECT_EQ(server_->value("SELECT restart_lsn >= '" + end + "' FROM pg_replication_slots"), "t");
}

TEST_P(StreamTest, TailsBecomeDurableWithoutFullSegments) {
  start();
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  write(*server_, 10);
  stream.wait_durable(position(*server_));
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  const auto logs = repository_.logs(log_id()).take();
  ASSERT_FALSE(logs.empty());
  EXPECT_FALSE(logs.back().complete);
  const LogSummary summary =
      decode_summary(repository_.get_log_summary(logs.back().name).take()).take();
  EXPECT_GE(summary.commits, 1u);
  EXPECT_EQ(summary.last_commit->time, stream.status().last_commit);
}

TEST_P(StreamTest, GoesOnAfterAStopAndAfterTheServerWasKilled) {
  start();
  {
    RunningStream first(world_.world, repository_, server_->conninfo(), how());
    write(*server_);
    first.wait_durable(position(*server_));
    ASSERT_TRUE(first.stop().ok());
  }
  write(*server_, 20000);
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  stream.wait_durable(position(*server_));
  server_->restart(StopMode::kill);
  write(*server_, 20000);
  stream.wait_durable(position(*server_));
  EXPECT_NE(stream.troubles().find("connecting again"), std::string::npos);
  EXPECT_EQ(stream.status().gap, "");
  EXPECT_TRUE(stream.stop().ok());
  EXPECT_GT(expect_same_log(*server_), 2u << 20);
}

TEST_P(StreamTest, FollowsAPromotionOnTheSameServer) {
  start();
  write(*server_);
  auto standby = PostgresServer::standby_of(
      *server_, {.settings = {{"wal_keep_size", "1GB"}, {"hot_standby", "on"}}});
  RunningStream stream(world_.world, repository_, standby->conninfo(), how());
  write(*server_, 3000);
  const std::string before = position(*server_);
  stream.wait_durable(before);
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  standby->promote();
  write(*standby, 3000);
  stream.wait_durable(position(*standby), 2);
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  EXPECT_NE(stream.troubles().find("from timeline 1 to 2"), std::string::npos);
  EXPECT_TRUE(stream.stop().ok());
  const auto history = repository_.get_history(log_id(), 2).take();
  ASSERT_TRUE(history.has_value());
  EXPECT_TRUE(text_of(*history).starts_with("1\t"));
  EXPECT_GT(expect_same_log(*standby, 2), 0u);
}

TEST_P(StreamTest, FollowsAFailoverToAnotherServer) {
  start();
  write(*server_);
  auto standby = PostgresServer::standby_of(*server_, {.settings = {{"wal_keep_size", "1GB"}}});
  const std::string both = cat("host=", server_->socket_folder(), ",", standby->socket_folder(),
                               " port=", server_->port(), ",", standby->port(),
                               " user=postgres dbname=postgres target_session_attrs=read-write");
  RunningStream stream(world_.world, repository_, both, how());
  write(*server_, 5000);
  stream.wait_durable(position(*server_));
  const std::string id = log_id();
  while (standby->value("SELECT pg_last_wal_receive_lsn() >= '" + position(*server_) + "'") !=
         "t") {
    pause();
  }
  server_->stop(StopMode::kill);
  standby->promote();
  write(*standby, 5000);
  stream.wait_durable(position(*standby), 2);
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  // The slot is not on the new primary: it is made again, loudly, and nothing is missing.
  EXPECT_NE(stream.troubles().find("is not on the server"), std::string::npos);
  EXPECT_EQ(stream.status().gap, "");
  EXPECT_TRUE(stream.stop().ok());
  server_ = std::move(standby);
  EXPECT_GT(expect_same_log(*server_, 2), 0u);
  EXPECT_TRUE(repository_.get_history(id, 2).take().has_value());
}

TEST_P(StreamTest, AServerWithAnotherHistoryIsRefusedUntilItIsAdmitted) {
  start();
  write(*server_);
  auto clone = PostgresServer::standby_of(*server_, {.settings = {{"wal_keep_size", "1GB"}}});
  clone->promote();
  {
    RunningStream stream(world_.world, repository_, server_->conninfo(), how());
    write(*server_, 5000);
    stream.wait_durable(position(*server_));
    ASSERT_TRUE(stream.stop().ok());
  }
  write(*clone, 100);
  RunningStream refused(world_.world, repository_, clone->conninfo(), how());
  const Status outcome = refused.wait();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::refused);
  EXPECT_NE(outcome.error().text().find("another history"), std::string::npos);
  EXPECT_NE(outcome.error().hint().find("wal admit"), std::string::npos);
  for (const auto& info : repository_.logs(log_id()).take()) EXPECT_EQ(info.name.timeline, 1U);
  RunningStream admitted(world_.world, repository_, clone->conninfo(),
                         how(std::chrono::milliseconds(200), 2));
  admitted.wait_durable(position(*clone), 2);
  EXPECT_FALSE(admitted.ended());
  EXPECT_NE(admitted.troubles().find("lost by the failover"), std::string::npos);
  EXPECT_TRUE(admitted.stop().ok());
}

TEST_P(StreamTest, AHoleIsLoudAndTheStreamGoesOnBehindIt) {
  start({.settings = {{"max_wal_size", "2MB"}, {"min_wal_size", "2MB"}}});
  server_->set("wal_keep_size", "0");
  server_->reload();
  {
    RunningStream first(world_.world, repository_, server_->conninfo(), how());
    write(*server_);
    first.wait_durable(position(*server_));
    ASSERT_TRUE(first.stop().ok());
  }
  while (server_->value("SELECT active FROM pg_replication_slots") != "f") pause();
  server_->sql("SELECT pg_drop_replication_slot('lifeboat_db')");
  for (int n = 0; n < 4; ++n) {
    write(*server_, 30000);
    server_->sql("CHECKPOINT");
  }
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  stream.wait_durable(position(*server_));
  ASSERT_FALSE(stream.ended()) << stream.wait().error().text();
  EXPECT_NE(stream.troubles().find("is not on the server"), std::string::npos);
  EXPECT_NE(stream.troubles().find("HOLE in the log of db"), std::string::npos);
  EXPECT_NE(stream.status().gap, "");
}

TEST_P(StreamTest, ALostSlotNeedsAPerson) {
  start({.settings = {
             {"max_wal_size", "2MB"}, {"min_wal_size", "2MB"}, {"max_slot_wal_keep_size", "1MB"}}});
  server_->set("wal_keep_size", "0");
  server_->reload();
  server_->sql("SELECT pg_create_physical_replication_slot('lifeboat_db', true)");
  for (int n = 0; n < 4; ++n) {
    write(*server_, 30000);
    server_->sql("CHECKPOINT");
  }
  ASSERT_EQ(server_->value("SELECT wal_status FROM pg_replication_slots"), "lost");
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  const Status outcome = stream.wait();
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().text().find("is lost"), std::string::npos);
  EXPECT_NE(outcome.error().hint().find("pg_drop_replication_slot"), std::string::npos);
}

TEST_P(StreamTest, ASecondStreamWaitsAndTakesOver) {
  start();
  RunningStream first(world_.world, repository_, server_->conninfo(), how());
  write(*server_);
  first.wait_durable(position(*server_));
  RunningStream second(world_.world, repository_, server_->conninfo(), how());
  second.wait_trouble(GetParam() ? "has the spool" : "is active");
  EXPECT_FALSE(second.ended());
  write(*server_);
  first.wait_durable(position(*server_));
  EXPECT_TRUE(first.stop().ok());
  write(*server_);
  second.wait_durable(position(*server_));
  EXPECT_TRUE(second.stop().ok());
  EXPECT_GT(expect_same_log(*server_), 0u);
}

TEST_P(StreamTest, ABackupBesideTheStreamUsesItsLog) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "1", "postgres"});
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  stream.wait_durable(position(*server_));
  auto load = server_->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
  auto source = make_source(Secret(server_->conninfo()), {.store = "db", .log_continuous = true});
  BackupContext context{world_.world, repository_, nullptr, {}, {}, 2, "host"};
  const auto outcome = source->backup(context);
  load->kill_with_children();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_TRUE(outcome->snapshot.meta.warnings.empty()) << outcome->snapshot.meta.warnings[0];
  const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
  EXPECT_TRUE(log_covers(repository_, details.log_id, details.segment_bytes, 1, details.start_lsn,
                         details.stop_lsn)
                  .take());
}

TEST_P(StreamTest, AnotherSystemIsRefused) {
  start();
  auto source = make_source(Secret(server_->conninfo()), {"db"});
  BackupContext context{world_.world, repository_, nullptr, {}, {}, 2, "host"};
  ASSERT_TRUE(source->backup(context).ok());
  auto other = PostgresServer::start();
  RunningStream stream(world_.world, repository_, other->conninfo(), how());
  const Status outcome = stream.wait();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::refused);
  EXPECT_NE(outcome.error().text().find("another database system"), std::string::npos);
}

TEST_P(StreamTest, LogThatContradictsTheStoredOneIsRefused) {
  start();
  const std::string at = server_->value("SELECT redo_lsn FROM pg_control_checkpoint()");
  const std::uint64_t segment = parse_lsn(at).take() >> 20;
  ASSERT_TRUE(repository_.put_log_tail({log_id(), 1, segment}, 0, Buffer(500, 7), {}).ok());
  RunningStream stream(world_.world, repository_, server_->conninfo(), how());
  const Status outcome = stream.wait();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::conflict) << outcome.error().text();
}

TEST_P(StreamTest, WhatCannotWorkFromTheStartEndsAtOnce) {
  start({.tcp = true});
  server_->make_role("app", "pw");
  const auto outcome_of = [&](const std::string& conninfo) {
    RunningStream stream(world_.world, repository_, conninfo, how());
    Status outcome = stream.wait();
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().exit_code(), ExitCode::store_unreachable);
    EXPECT_EQ(outcome.error().text().find("hunter2"), std::string::npos);
    return outcome.error();
  };
  EXPECT_EQ(outcome_of(server_->conninfo_as("app", "hunter2")).native(), "SQLSTATE 28P01");
  EXPECT_EQ(outcome_of(server_->conninfo_as("app", "pw")).kind(), ErrorKind::denied);
  const std::string conninfo = server_->conninfo();
  server_->stop();
  EXPECT_EQ(outcome_of(conninfo).kind(), ErrorKind::unavailable);
}

INSTANTIATE_TEST_SUITE_P(Stream, StreamTest, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "Spooled" : "Direct");
});

}  // namespace
}  // namespace lb::pg
