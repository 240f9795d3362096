// A backup and a stream into a repository on disk, killed at random moments: what was committed
// stays whole, and the next run goes on.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "storage/blob/directory_blob_store.h"
#include "stores/postgres/running_stream.h"
#include "stores/postgres/source.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/kill_moments.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

struct OpenRepository {
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<repo::Repository> repository;
};

class KilledTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server_ = PostgresServer::start({.segment_mib = 1, .settings = {{"wal_keep_size", "1GB"}}});
    server_->run_tool({"pgbench", "-i", "-q", "-s", "2", "postgres"});
    auto blobs = open_directory_blobs(*world_.files, *world_.clock, *world_.random, folder(),
                                      MissingFolder::create);
    ASSERT_TRUE(blobs.ok()) << blobs.error().text();
    ASSERT_TRUE(repo::init_repository(**blobs, *world_.clock, *world_.random, key()).ok());
  }
  std::string folder() const { return dir_ / "repository"; }
  static Secret key() { return Secret(std::string_view("correct horse battery staple")); }
  OpenRepository open() {
    OpenRepository out;
    out.blobs = open_directory_blobs(*world_.files, *world_.clock, *world_.random, folder(),
                                     MissingFolder::refuse)
                    .take();
    out.repository = repo::open_repository(*out.blobs, *world_.clock, *world_.random, key()).take();
    return out;
  }
  // Runs `act` in a process of its own, which is killed after `moment`; true when it was still at
  // work.
  bool killed_after(std::chrono::microseconds moment, const std::function<void()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      act();
      ::_exit(0);
    }
    std::this_thread::sleep_for(moment);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }
  Result<BackupOutcome> backup(repo::Repository& repository) {
    auto source = make_source(Secret(server_->conninfo()), {.store = "db"});
    return source->backup({world_.world, repository, nullptr, {}, {}, 2, "host"});
  }
  Status stream(repo::Repository& repository, std::stop_token stop, std::atomic<Lsn>* durable) {
    StreamOptions options;
    options.store = "db";
    options.tail_interval = std::chrono::milliseconds(100);
    options.spool_folder = spool_;
    options.on_status = [durable](const StreamStatus& status) {
      if (durable != nullptr) *durable = status.durable;
    };
    return stream_log(world_.world, repository, Secret(server_->conninfo()), options, stop);
  }
  static void expect_clean(repo::Repository& repository) {
    const auto report = repository.verify({}, {}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    for (const repo::Finding& finding : report->findings) {
      ADD_FAILURE() << finding.object << ": " << finding.problem;
    }
  }

  void out_of_reach(bool away) {
    const std::string other = dir_ / "away";
    ASSERT_TRUE(away ? world_.files->rename(folder(), other).ok()
                     : world_.files->rename(other, folder()).ok());
  }
  static Lsn end_of_log(repo::Repository& repository, const std::string& id) {
    const auto logs = repository.logs(id).take();
    const repo::LogInfo& last = logs.back();
    return (last.name.segment << 20) + (last.complete ? 1 << 20 : last.durable_bytes);
  }
  // Without a gap, and each byte as the server has it.
  void expect_the_servers_bytes(repo::Repository& repository, const std::string& id) {
    const auto logs = repository.logs(id).take();
    ASSERT_FALSE(logs.empty());
    for (std::size_t n = 0; n < logs.size(); ++n) {
      EXPECT_EQ(logs[n].name.segment, logs[0].name.segment + n);
      const std::string path =
          cat(server_->data(), "/pg_wal/", segment_name(1, logs[n].name.segment, 1 << 20));
      const Buffer theirs = read_file(*world_.files, path, 1 << 20).take();
      const Buffer stored = repository.get_log(logs[n].name).take();
      EXPECT_TRUE(std::equal(stored.begin(), stored.end(), theirs.begin())) << path;
    }
  }
  void goes_on_without_a_hole();

  TestWorld world_;
  test::TempDir dir_;
  std::string spool_;  // of the streams, if they have one
  std::unique_ptr<PostgresServer> server_;
};

void KilledTest::goes_on_without_a_hole() {
  auto load = server_->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
  for (int round = 0; round < 5; ++round) {
    const std::chrono::milliseconds moment(150 + world_.random->below(1000));
    EXPECT_TRUE(killed_after(
        moment, [&] { static_cast<void>(stream(*open().repository, {}, nullptr).ok()); }));
  }
  load->kill_with_children();
  const Lsn end = parse_lsn(server_->value("SELECT pg_current_wal_flush_lsn()")).take();
  const OpenRepository opened = open();
  std::atomic<Lsn> durable = 0;
  std::atomic<bool> ended = false;
  Status outcome;
  std::jthread last([&](std::stop_token stop) {
    outcome = stream(*opened.repository, stop, &durable);
    ended = true;
  });
  while (!ended && durable < end) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  last.request_stop();
  last.join();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const std::string id = opened.repository->log_ids().take().at(0);
  expect_the_servers_bytes(*opened.repository, id);
  EXPECT_GE(end_of_log(*opened.repository, id), end);
  expect_clean(*opened.repository);
}

TEST_F(KilledTest, ABackupKilledAtAnyMomentLeavesTheRepositoryWhole) {
  test::KillMoments moments(std::chrono::milliseconds(800), 5);
  while (moments.more()) {
    moments.killed(
        killed_after(moments.next(), [&] { static_cast<void>(backup(*open().repository).ok()); }));
    expect_clean(*open().repository);
  }
  EXPECT_TRUE(moments.enough()) << moments.hits();
  const OpenRepository opened = open();
  const auto outcome = backup(*opened.repository);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(opened.repository->snapshots().take().back().id, outcome->snapshot.id);
  expect_clean(*opened.repository);
  // Temporary slots go with the processes, as soon as the server sees that these are gone.
  while (server_->value("SELECT count(*) FROM pg_replication_slots") != "0")
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

TEST_F(KilledTest, AStreamKilledAtAnyMomentGoesOnWithoutAHole) { goes_on_without_a_hole(); }

TEST_F(KilledTest, AStreamWithASpoolKilledAtAnyMomentGoesOnWithoutAHole) {
  spool_ = dir_ / "spool";
  goes_on_without_a_hole();
}

// Commits that wait go on while the repository is out of reach. Then the program is killed and the
// server gone for good: what returned comes out of the spool.
TEST_F(KilledTest, EveryCommitThatReturnedIsInTheSpoolWhenAllElseIsGone) {
  spool_ = dir_ / "spool";
  server_->sql("CREATE TABLE marks (at pg_lsn)");
  server_->set("synchronous_standby_names", "lifeboat_stream");
  server_->reload();
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    static_cast<void>(stream(*open().repository, {}, nullptr).ok());
    ::_exit(0);
  }
  while (server_->value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") !=
         "1")
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  out_of_reach(true);
  for (int n = 0; n < 60; ++n) server_->sql("INSERT INTO marks SELECT pg_current_wal_insert_lsn()");
  const Lsn returned = parse_lsn(server_->value("SELECT max(at) FROM marks")).take();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  server_->stop(test::StopMode::kill);
  out_of_reach(false);
  const OpenRepository opened = open();
  const std::string id = opened.repository->log_ids().take().at(0);
  EXPECT_LT(end_of_log(*opened.repository, id), returned) << "the repository had it all along";
  const Status outcome = stream(*opened.repository, {}, nullptr);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::store_unreachable) << outcome.error().text();
  EXPECT_GT(end_of_log(*opened.repository, id), returned);
  EXPECT_EQ(left_in_spool(*world_.files, spool_, id).value(), 0u);
  expect_the_servers_bytes(*opened.repository, id);
}

// Without a spool: what is not in the repository stays on the server until it is there again.
TEST_F(KilledTest, ARepositoryThatGoesAndComesAtAnyMomentLeavesNoHole) {
  const OpenRepository opened = open();
  RunningStream running(world_.world, *opened.repository, server_->conninfo());
  running.wait_durable(server_->value("SELECT pg_current_wal_flush_lsn()"));
  auto load = server_->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
  for (int round = 0; round < 5 && !running.ended(); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(world_.random->below(600)));
    const auto told = running.troubles().size();
    out_of_reach(true);
    while (!running.ended() && running.troubles().size() == told) pause();
    out_of_reach(false);
  }
  load->kill_with_children();
  const std::string end = server_->value("SELECT pg_current_wal_flush_lsn()");
  running.wait_durable(end);
  ASSERT_FALSE(running.ended()) << running.wait().error().text();
  EXPECT_EQ(running.status().gap, "");
  EXPECT_TRUE(running.stop().ok());
  const std::string id = opened.repository->log_ids().take().at(0);
  expect_the_servers_bytes(*opened.repository, id);
  EXPECT_GE(end_of_log(*opened.repository, id), parse_lsn(end).take());
  expect_clean(*opened.repository);
}

TEST_F(KilledTest, AFullSpoolLeavesTheLogOnTheServerAndGoesOn) {
  constexpr std::uint64_t most = 3 << 20;
  spool_ = dir_ / "spool";
  const OpenRepository opened = open();
  StreamOptions options = RunningStream::usual();
  options.spool_folder = spool_;
  options.spool_bytes_max = most;
  RunningStream running(world_.world, *opened.repository, server_->conninfo(), options);
  running.wait_durable(server_->value("SELECT pg_current_wal_flush_lsn()"));
  out_of_reach(true);
  server_->sql("CREATE TABLE wide AS SELECT md5(i::text) FROM generate_series(1, 300000) i");
  running.wait_trouble("the spool is full");
  EXPECT_NE(running.troubles().find("the log stays in the spool"), std::string::npos);
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(spool_)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_GT(bytes, most / 2);
  EXPECT_LT(bytes, 2 * most);
  out_of_reach(false);
  running.wait_durable(server_->value("SELECT pg_current_wal_flush_lsn()"));
  ASSERT_FALSE(running.ended()) << running.wait().error().text();
  EXPECT_TRUE(running.stop().ok());
  const std::string id = opened.repository->log_ids().take().at(0);
  EXPECT_EQ(left_in_spool(*world_.files, spool_, id).value(), 0u);
  expect_the_servers_bytes(*opened.repository, id);
}

}  // namespace
}  // namespace lb::pg
