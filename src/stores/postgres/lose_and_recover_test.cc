// The whole chain on real servers: backup and log stream into a real repository, the server killed
// and its data gone, then recovery in a sandbox.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "storage/blob/directory_blob_store.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/source.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

class LoseAndRecover : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    std::filesystem::permissions(temporary_.path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    blobs_ = open_directory_blobs(*real_.files, *real_.clock, *real_.random,
                                  temporary_ / "repository", MissingFolder::create)
                 .take();
    Secret passphrase(std::string_view("correct horse"));
    repo::init_repository(*blobs_, *real_.clock, *real_.random, passphrase).take();
    repository_ = repo::open_repository(*blobs_, *real_.clock, *real_.random, passphrase).take();
    server_ = PostgresServer::start({.settings = {{"autovacuum", "off"}}});
  }
  std::string back_up() {
    auto source = make_source(Secret(server_->conninfo()), {.store = "db", .log_continuous = true});
    BackupContext context{real_.world, *repository_, nullptr, {}, {}, 2, "host"};
    auto outcome = source->backup(context);
    EXPECT_TRUE(outcome.ok()) << outcome.error().text();
    return outcome->snapshot.id;
  }
  void start_streaming() {
    stream_ = std::jthread([this](std::stop_token stop) {
      StreamOptions options;
      options.store = "db";
      options.tail_interval = Micros(200'000);
      options.on_status = [this](const StreamStatus& status) { durable_ = status.durable; };
      Secret conninfo(server_->conninfo());
      (void)stream_log(real_.world, *repository_, conninfo, options, stop).ok();
      stream_ended_ = true;
    });
  }
  void wait_until_durable() {
    auto wanted = parse_lsn(server_->value("SELECT pg_current_wal_flush_lsn()")).take();
    while (durable_ < wanted && !stream_ended_)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  void lose_everything() {
    server_->stop(test::StopMode::kill);
    stream_.request_stop();
    stream_.join();
    std::filesystem::remove_all(server_->data());
  }

  // Laid out and replayed in a fresh sandbox.
  Result<std::unique_ptr<RecoveryServer>> recover(repo::SnapshotReader& snapshot,
                                                  const SnapshotDetails& details,
                                                  const RecoveryTarget& target) {
    auto folder = temporary_ / "box";
    auto user = LB_TRY(real_.sandboxes->unprivileged_user("postgres"));
    RecoveryOptions options;
    options.folder = folder + "/data";
    options.socket_folder = folder + "/run/s";
    options.spool_folder = folder + "/run/spool";
    options.log_path = folder + "/run/log";
    options.run_marker = "run-1";
    options.binaries = LB_TRY(find_binaries(*real_.files, details.server_version));
    for (const auto& path :
         {folder, folder + "/run", options.socket_folder, options.spool_folder}) {
      LB_TRY(make_directories(*real_.files, path, 0700));
      test::give_to_server_user(path);
    }
    SandboxSpec spec;
    spec.folder = folder;
    spec.visible = {folder};
    spec.user = user;
    auto made = LB_TRY(real_.sandboxes->create(spec));
    sandbox_ = std::move(made);
    LayoutOptions layout;
    layout.folder = options.folder;
    layout.owner = user;
    LB_TRY(lay_out(real_.world, snapshot, layout, {}));
    auto starter = [this](const Command& command) { return sandbox_->start(command); };
    return RecoveryServer::start(real_.world, *repository_, details, target, options, starter, {});
  }
  Result<RecoveryTarget> resolve_to(const SnapshotDetails& details, const Wanted& wanted) {
    auto index = LB_TRY(read_log_index(*repository_, details.log_id, details.segment_bytes));
    EXPECT_TRUE(index.holes.empty());
    return resolve(index, details, wanted, real_.clock->now(), *repository_);
  }

  RealWorld real_;
  test::TempDir temporary_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<repo::Repository> repository_;
  std::unique_ptr<PostgresServer> server_;
  std::atomic<Lsn> durable_ = 0;
  std::atomic<bool> stream_ended_ = false;
  std::jthread stream_;
};

// Recorded counts plus what the log says must be what is there, for every table of the fingerprint.
void expect_exact_counts(RecoveryServer& server, repo::SnapshotReader& snapshot) {
  auto bytes = snapshot.attachment(attachment_fingerprint).take();
  auto fingerprint = parse_json(text_of(*bytes)).take();
  std::size_t compared = 0;
  for (const auto& database : fingerprint["databases"].items()) {
    if (database["name"].string() != "postgres") continue;
    auto deltas = server.row_deltas(database["snapshot"].string());
    ASSERT_TRUE(deltas.ok()) << deltas.error().text();
    for (const auto& table : database["tables"].items()) {
      auto name = quote_name(table["name"].string());
      auto expected = table["rows"].integer();
      for (const auto& [relation, rows] : *deltas) {
        if (relation.filenode == table["filenode"].integer()) expected += rows;
      }
      EXPECT_EQ(value_of(server, cat("SELECT count(*) FROM ", name)), std::to_string(expected))
          << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 5u);
}

TEST_F(LoseAndRecover, EverythingAcknowledgedComesBackInASandbox) {
  server_->run_tool({"pgbench", "-i", "-q", "-s", "2", "postgres"});
  server_->sql(
      "CREATE TABLE ledger (id int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())");
  start_streaming();
  auto load = server_->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
  auto snapshot_id = back_up();
  for (int i = 1; i <= 50; ++i) server_->sql(cat("INSERT INTO ledger VALUES (", i, ")"));
  wait_until_durable();
  load->kill_with_children();
  lose_everything();

  auto snapshot = repository_->snapshot(snapshot_id).take();
  auto details = decode_details(snapshot->info().meta.details).take();
  auto target = resolve_to(details, {});
  ASSERT_TRUE(target.ok()) << target.error().text();

  auto started = recover(*snapshot, details, *target);
  if (!sandbox_) GTEST_SKIP() << "no sandbox can be made here";
  ASSERT_TRUE(started.ok()) << started.error().text();
  auto& server = **started;
  EXPECT_EQ(value_of(server, "SELECT count(*) FROM ledger"), "50");
  EXPECT_EQ(server.reached().lsn, target->log_end);
  EXPECT_TRUE(server.reached().last_commit.has_value());
  expect_exact_counts(server, *snapshot);
  EXPECT_TRUE(server.shut_down().ok());
}

TEST_F(LoseAndRecover, AFailoverIsFollowedToTheNewTimeline) {
  server_->sql("CREATE TABLE ledger (id int PRIMARY KEY)");
  auto standby = PostgresServer::standby_of(*server_, {.settings = {{"wal_keep_size", "1GB"}}});
  start_streaming();
  auto snapshot_id = back_up();
  server_->sql("INSERT INTO ledger VALUES (1)");
  auto written = server_->value("SELECT pg_current_wal_flush_lsn()");
  wait_until_durable();
  while (standby->value(cat("SELECT pg_last_wal_replay_lsn() >= '", written, "'")) != "t") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  lose_everything();
  standby->promote();
  server_ = std::move(standby);
  durable_ = 0;
  stream_ended_ = false;
  start_streaming();
  server_->sql("INSERT INTO ledger VALUES (2)");
  wait_until_durable();
  stream_.request_stop();
  stream_.join();

  auto snapshot = repository_->snapshot(snapshot_id).take();
  auto details = decode_details(snapshot->info().meta.details).take();
  auto target = resolve_to(details, {});
  ASSERT_TRUE(target.ok()) << target.error().text();
  EXPECT_EQ(target->timeline, 2u);
  auto started = recover(*snapshot, details, *target);
  if (!sandbox_) GTEST_SKIP() << "no sandbox can be made here";
  ASSERT_TRUE(started.ok()) << started.error().text();
  EXPECT_EQ(value_of(**started, "SELECT string_agg(id::text, ',' ORDER BY id) FROM ledger"), "1,2");
  EXPECT_EQ((*started)->reached().timeline, 2u);
}

}  // namespace
}  // namespace lb::pg
