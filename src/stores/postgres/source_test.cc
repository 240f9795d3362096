#include "stores/postgres/source.h"

#include <thread>

#include "foundation/base/text.h"
#include "storage/blob/memory_blob_store.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/laid_out.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresOptions;
using test::PostgresServer;
using test::StopMode;

class SourceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
  void start(const PostgresOptions& options = {}) { server_ = PostgresServer::start(options); }

  Result<BackupOutcome> backup(const std::string& conninfo = {}, SourceOptions options = {"db"}) {
    return backup_into(repository_, nullptr, conninfo, options);
  }
  Result<BackupOutcome> backup_into(repo::Repository& repository, repo::SnapshotReader* parent,
                                    const std::string& conninfo = {},
                                    const SourceOptions& options = {"db"}) {
    auto source = make_source(Secret(conninfo.empty() ? server_->conninfo() : conninfo), options);
    BackupContext context{world_.world, repository, parent, stop_.get_token(),
                          progress_,    2,          "host"};
    return source->backup(context);
  }
  std::unique_ptr<repo::SnapshotReader> reader(const BackupOutcome& outcome) {
    return repository_.snapshot(outcome.snapshot.id).take();
  }
  // The server's own tool judges files and log against the server's own manifest.
  void expect_verified(const BackupOutcome& outcome) { expect_verified(repository_, outcome); }
  void expect_verified(repo::Repository& repository, const BackupOutcome& outcome) {
    const std::string folder = server_->folder() + "/laid-out-" + outcome.snapshot.id;
    const auto snapshot = repository.snapshot(outcome.snapshot.id).take();
    lay_out_for_test(repository, *snapshot, folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      test::give_to_server_user(entry.path());
    }
    test::give_to_server_user(folder);
    EXPECT_NO_THROW(server_->run_tool({"pg_verifybackup", folder}));
  }
  static Json fingerprint(repo::SnapshotReader& reader) {
    const auto bytes = reader.attachment(attachment_fingerprint).take();
    return parse_json(text_of(*bytes)).take();
  }

  TestWorld world_;
  MemoryRepository repository_;
  std::stop_source stop_;
  ProgressSink progress_;
  std::unique_ptr<PostgresServer> server_;
};

const Json& database_of(const Json& print, const std::string& name) {
  static const Json none;
  for (const Json& database : print["databases"].items()) {
    if (database["name"].string() == name) return database;
  }
  return none;
}

const Json& table_of(const Json& database, const std::string& name) {
  static const Json none;
  for (const Json& table : database["tables"].items()) {
    if (table["name"].string() == name) return table;
  }
  return none;
}

TEST_F(SourceTest, ABackupUnderLoadVerifiesWithItsLog) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
  auto load = server_->start_tool({"pgbench", "-c", "3", "-T", "600", "-n", "postgres"});
  std::uint64_t seen = 0, total = 0;
  progress_ = [&](const Progress& now) { seen = now.done_bytes, total = now.total_bytes; };
  const auto outcome = backup();
  load->kill_with_children();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_TRUE(outcome->unread.empty());
  EXPECT_GT(seen, 30u << 20);
  EXPECT_GE(total, seen);
  EXPECT_EQ(outcome->snapshot.meta.kind, "postgres");
  const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
  EXPECT_TRUE(details.checksums);
  EXPECT_GT(details.stop_lsn, details.start_lsn);
  EXPECT_EQ(details.log_id, "db-" + details.system_identifier);
  EXPECT_EQ(details.system_identifier,
            server_->value("SELECT system_identifier FROM pg_control_system()"));
  // Its slot goes with its connection, which the server ends by itself.
  while (server_->value("SELECT count(*) FROM pg_replication_slots") != "0")
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto read = reader(*outcome);
  const auto label = read->attachment(attachment_backup_label).take();
  EXPECT_NE(text_of(*label).find("START WAL LOCATION: " + format_lsn(details.start_lsn)),
            std::string_view::npos);
  EXPECT_TRUE(read->find("backup_label").take().has_value());
  EXPECT_TRUE(read->find("global/pg_control").take().has_value());
  EXPECT_TRUE(read->find("pg_wal").take().has_value());
  expect_verified(*outcome);
}

TEST_F(SourceTest, ASecondBackupIntoARealRepositoryStoresLittle) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "5", "postgres"});
  MemoryBlobStore blobs;
  const Secret key(std::string_view("correct horse battery staple"));
  ASSERT_TRUE(repo::init_repository(blobs, *world_.clock, *world_.random, key).ok());
  auto repository = repo::open_repository(blobs, *world_.clock, *world_.random, key).take();
  const auto first = backup_into(*repository, nullptr);
  ASSERT_TRUE(first.ok()) << first.error().text();
  server_->run_tool({"pgbench", "-c", "2", "-t", "10", "-n", "postgres"});
  const auto parent = repository->snapshot(first->snapshot.id).take();
  const auto second = backup_into(*repository, parent.get());
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(second->snapshot.meta.parent, first->snapshot.id);
  EXPECT_LT(second->snapshot.new_bytes, first->snapshot.new_bytes / 4);
  expect_verified(*repository, *first);
  expect_verified(*repository, *second);
  const auto verified = repository->verify({}, {}, {});
  ASSERT_TRUE(verified.ok()) << verified.error().text();
  EXPECT_TRUE(verified->clean());
}

TEST_F(SourceTest, SmallSegmentsAndTablespacesAreKept) {
  start({.segment_mib = 1});
  const std::string place = server_->folder() + "/space";
  std::filesystem::create_directory(place);
  test::give_to_server_user(place);
  server_->sql("CREATE TABLESPACE fast LOCATION '" + place + "'");
  server_->sql("CREATE TABLE t TABLESPACE fast AS SELECT i FROM generate_series(1, 100000) i");
  const auto outcome = backup();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
  EXPECT_EQ(details.segment_bytes, 1u << 20);
  ASSERT_EQ(details.tablespaces.size(), 1u);
  EXPECT_EQ(details.tablespaces[0].name, "fast");
  EXPECT_EQ(details.tablespaces[0].location, place);
  const auto read = reader(*outcome);
  const auto map = read->attachment(attachment_tablespace_map).take();
  EXPECT_NE(text_of(*map).find(place), std::string_view::npos);
  const std::string path = server_->value("SELECT pg_relation_filepath('t')");
  EXPECT_TRUE(path.starts_with(cat("pg_tblspc/", details.tablespaces[0].oid, "/")));
  const auto row = read->find(path).take();
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(std::to_string(row->size), server_->value("SELECT pg_relation_size('t')"));
  expect_verified(*outcome);
}

TEST_F(SourceTest, TheFingerprintCountsExactly) {
  start();
  server_->sql("CREATE DATABASE \"odd \"\"name\"");
  server_->sql(
      "CREATE SCHEMA s; CREATE TABLE s.\"T a\" (id int PRIMARY KEY); "
      "INSERT INTO s.\"T a\" SELECT generate_series(1, 321);"
      "CREATE TABLE parent (id int) PARTITION BY RANGE (id);"
      "CREATE TABLE part PARTITION OF parent FOR VALUES FROM (0) TO (100);"
      "INSERT INTO parent SELECT generate_series(0, 49);"
      "CREATE UNLOGGED TABLE gone AS SELECT 1 AS id; CREATE VIEW v AS SELECT 1 AS x",
      "odd \"name");
  const auto outcome = backup();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const auto read = reader(*outcome);
  const Json print = fingerprint(*read);
  EXPECT_TRUE(print["server_version"].string().starts_with("15."));
  EXPECT_EQ(print["settings"]["max_wal_senders"].string(), "10");
  const Json& database = database_of(print, "odd \"name");
  const Json& table = table_of(database, "T a");
  EXPECT_EQ(table["rows"].integer(), 321);
  EXPECT_EQ(table["schema"].string(), "s");
  EXPECT_EQ(std::to_string(table["filenode"].integer()),
            server_->value("SELECT pg_relation_filenode('s.\"T a\"')", "odd \"name"));
  EXPECT_EQ(table_of(database, "part")["rows"].integer(), 50);
  EXPECT_TRUE(table_of(database, "parent").is_null());
  EXPECT_TRUE(table_of(database, "gone")["rows"].is_null());
  EXPECT_TRUE(table_of(database, "gone")["unlogged"].boolean());
  EXPECT_EQ(database["catalog"]["tables"].integer(), 4);
  EXPECT_EQ(database["catalog"]["views"].integer(), 1);
  EXPECT_EQ(database["catalog"]["constraints"].integer(), 1);
  EXPECT_EQ(database["extensions"].items().at(0)["name"].string(), "plpgsql");
  EXPECT_NE(database["snapshot"].string().find(':'), std::string::npos);
  const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
  EXPECT_GE(parse_lsn(print["lsn"].string()).take(), details.stop_lsn);
}

// A lock kept on each table that was counted would fill the lock table that production shares.
TEST_F(SourceTest, CountingManyTablesHoldsNoMoreThanALockAtATime) {
  PostgresOptions options;
  options.settings = {{"max_locks_per_transaction", "10"}, {"max_connections", "20"}};
  start(options);
  constexpr int tables = 2500;
  server_->sql("DO $$BEGIN FOR n IN 1.." + std::to_string(tables) +
               " LOOP EXECUTE 'CREATE TABLE t' || n || ' AS SELECT ' || n; COMMIT; "
               "END LOOP; END$$");
  const auto outcome = backup();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const auto read = reader(*outcome);
  const auto print = fingerprint(*read);
  int counted = 0;
  for (const auto& table : database_of(print, "postgres")["tables"].items()) {
    if (table["rows"].is_int() && table["rows"].integer() == 1) ++counted;
  }
  EXPECT_EQ(counted, tables) << join(outcome->snapshot.meta.warnings, "\n").substr(0, 400);
}

TEST_F(SourceTest, ATableThatMayNotBeReadHasNoCountAndAWarning) {
  start();
  server_->make_role("backup", "pw", "REPLICATION");
  server_->sql("CREATE TABLE secret AS SELECT 1 AS id");
  const auto outcome = backup(server_->conninfo_as("backup", "pw"));
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const auto read = reader(*outcome);
  const Json print = fingerprint(*read);
  const Json& table = table_of(database_of(print, "postgres"), "secret");
  EXPECT_EQ(table["name"].string(), "secret");
  EXPECT_TRUE(table["rows"].is_null());
  EXPECT_NE(join(outcome->snapshot.meta.warnings, "\n").find("postgres.public.secret"),
            std::string::npos);
}

// Flips one byte of a page on disk; the server has the page in no buffer after the restart.
std::string spoil(PostgresServer& server, const std::string& table, std::uint64_t block) {
  const std::string path = server.value("SELECT pg_relation_filepath('" + table + "')");
  server.stop();
  std::fstream file(server.data() + "/" + path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(block * 8192 + 5000);
  file.seekg(at);
  const char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  server.start_again();
  return path;
}

TEST_F(SourceTest, ADamagedPageIsNamedAndTheBackupGoesOn) {
  start();
  server_->sql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 50000) i");
  server_->sql("CHECKPOINT");
  const std::string path = spoil(*server_, "t", 17);
  for (const bool privileged : {true, false}) {
    if (!privileged) server_->make_role("backup", "pw", "REPLICATION");
    const auto outcome = backup(privileged ? "" : server_->conninfo_as("backup", "pw"));
    ASSERT_TRUE(outcome.ok()) << outcome.error().text();
    ASSERT_EQ(outcome->unread.size(), 1u);
    EXPECT_TRUE(outcome->unread[0].starts_with(path + " block 17"));
    EXPECT_EQ(outcome->unread[0].find("second time") == std::string::npos, privileged);
    const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
    EXPECT_EQ(details.bad_pages, outcome->unread);
    EXPECT_NE(join(outcome->snapshot.meta.warnings, "\n").find("damaged page"), std::string::npos);
  }
}

TEST_F(SourceTest, NothingIsCommittedWhenTheServerDiesInTheMiddle) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
  bool killed = false;
  progress_ = [&](const Progress& now) {
    if (killed || now.done_bytes < (8u << 20)) return;
    killed = true;
    server_->stop(StopMode::kill);
  };
  const auto outcome = backup();
  ASSERT_TRUE(killed);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::store_unreachable) << outcome.error().text();
  EXPECT_TRUE(repository_.snapshots().take().empty());
  progress_ = {};
  server_->start_again();
  EXPECT_TRUE(backup().ok());
}

TEST_F(SourceTest, AStopRequestEndsTheBackup) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
  progress_ = [&](const Progress&) { stop_.request_stop(); };
  const auto outcome = backup();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::cancelled) << outcome.error().text();
  EXPECT_TRUE(repository_.snapshots().take().empty());
}

TEST_F(SourceTest, WithoutARunningStreamTheBackupFetchesItsLogItself) {
  start();
  const auto outcome = backup({}, {.store = "db", .log_continuous = true});
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_NE(join(outcome->snapshot.meta.warnings, "\n").find("--follow"), std::string::npos);
  expect_verified(*outcome);
}

TEST_F(SourceTest, AStandbyCanBeBackedUp) {
  start();
  server_->sql("CREATE TABLE t AS SELECT 1 AS id");
  auto standby = PostgresServer::standby_of(*server_);
  while (standby->value("SELECT pg_last_wal_replay_lsn() >= '" +
                        server_->value("SELECT pg_current_wal_lsn()") + "'") != "t") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const auto outcome = backup(standby->conninfo());
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  expect_verified(*outcome);
}

std::string not_ok(const std::vector<Diagnosis>& findings) {
  std::string out;
  for (const Diagnosis& finding : findings) {
    if (!finding.ok) out += finding.what + ";";
  }
  return out;
}

TEST_F(SourceTest, DiagnosesWhatABackupNeeds) {
  start();
  const auto all = make_source(Secret(server_->conninfo()), {"db"})->diagnose(world_.world, {});
  ASSERT_TRUE(all.ok()) << all.error().text();
  EXPECT_EQ(not_ok(*all), "");
  bool warned = false;
  for (const Diagnosis& finding : *all) {
    warned = warned || finding.text.find("max_slot_wal_keep_size = -1") != std::string::npos;
  }
  EXPECT_TRUE(warned);
  server_->make_role("app", "pw");
  const auto app =
      make_source(Secret(server_->conninfo_as("app", "pw")), {"db"})->diagnose(world_.world, {});
  ASSERT_TRUE(app.ok()) << app.error().text();
  EXPECT_EQ(not_ok(*app), "replication privilege;");
  const auto denied = backup(server_->conninfo_as("app", "pw"));
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().exit_code(), ExitCode::store_unreachable);
  EXPECT_NE(denied.error().hint().find("REPLICATION"), std::string::npos);
}

TEST_F(SourceTest, DiagnosesAServerThatCannotBeBackedUp) {
  start({.checksums = false,
         .wal_level = "minimal",
         .max_wal_senders = 0,
         .hba = {"local replication postgres reject"}});
  const auto all = make_source(Secret(server_->conninfo()), {"db"})->diagnose(world_.world, {});
  ASSERT_TRUE(all.ok()) << all.error().text();
  EXPECT_EQ(not_ok(*all), "wal_level;max_wal_senders;replication connection;");
  EXPECT_FALSE(backup().ok());
  server_->stop();
  const auto down = make_source(Secret(server_->conninfo()), {"db"})->diagnose(world_.world, {});
  ASSERT_FALSE(down.ok());
  EXPECT_EQ(down.error().exit_code(), ExitCode::store_unreachable);
}

}  // namespace
}  // namespace lb::pg
