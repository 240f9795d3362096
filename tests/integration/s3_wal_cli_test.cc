// A server that archives into a bucket: while the object store dies and comes back, and with a key
// that may only write. What the server was told to be archived is there, byte for byte.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "tests/harness/postgres_server.h"
#include "tests/harness/s3_boat.h"
#include "tests/integration/archiving.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

struct ToolFolder {
  TempDir tools;
};

class S3Wal : private ToolFolder, public S3Boat {
 protected:
  S3Wal() : S3Boat(as_server_user(tools, LIFEBOAT_BINARY)) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    S3Boat::SetUp();
    if (IsSkipped()) return;
    give_to_server_user(boat.folder());
    PostgresOptions options;
    options.segment_mib = 1;
    // The server keeps what it archived, so that it can be compared.
    options.settings = {{"archive_mode", "on"},
                        {"archive_command", "/bin/false"},
                        {"wal_keep_size", "2GB"},
                        {"max_wal_size", "3GB"}};
    server = PostgresServer::start(options);
    server->sql("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, body text)");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, every: hourly}\n", address("log"));
    boat.must({"init"});
  }
  void TearDown() override {
    server.reset();
    end_agents();
  }
  void end_agents() {
    for (const auto pid : processes_with(boat.folder())) ::kill(pid, SIGKILL);
  }
  void archive_with(const std::string& plan) {
    std::string variables;
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"})
      variables += std::string(name) + "=" + boat.environment()[name] + " ";
    server->set("archive_command",
                "env LIFEBOAT_KEY=\"correct horse battery\" LIFEBOAT_STATE=" + (boat / "server") +
                    " DB=unused " + variables + LIFEBOAT_BINARY + " wal push --timeout 5s --plan " +
                    plan + " --store db %p");
    server->reload();
  }
  std::int64_t archiver(const std::string& what) {
    return std::stoll(server->value("SELECT " + what + " FROM pg_stat_archiver"));
  }
  void write(int rows) {
    server->sql("INSERT INTO notes (body) SELECT md5(n::text) FROM generate_series(1, " +
                std::to_string(rows) + ") n");
  }
  // Waits until everything up to now is archived; wakes an archiver that paused after failures.
  void archive_all() {
    server->sql("SELECT txid_current()");
    const auto name = server->value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    server->sql("SELECT pg_switch_wal()");
    server->reload();
    const auto archived =
        "SELECT coalesce(last_archived_wal, '') >= '" + name + "' FROM pg_stat_archiver";
    if (!eventually([&] { return server->value(archived) == "t"; }))
      throw std::runtime_error("not archived: " + server->log_text());
  }
  // Segments that the server holds for archived.
  std::vector<std::string> acknowledged() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(server->data() + "/pg_wal/archive_status")) {
      const auto name = entry.path().stem().string();
      if (entry.path().extension() == ".done" && name.size() == 24) out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  void expect_stored(const std::vector<std::string>& names) {
    fs::create_directories(boat / "fetched/pg_wal");
    for (const auto* folder : {"fetched", "fetched/pg_wal"}) give_to_server_user(boat / folder);
    for (const auto& name : names) {
      const auto target = boat / "fetched/pg_wal/RECOVERYXLOG";
      boat.must({"wal", "fetch", "--store", "db", name, target});
      EXPECT_TRUE(read_text(target) == read_text(server->data() + "/pg_wal/" + name)) << name;
    }
  }
  Json listed(int code) {
    const auto ran = boat.run({"wal", "ls", "--store", "db", "--json"});
    EXPECT_EQ(ran.exit_code, code) << ran.out << ran.err;
    return ran.summary();
  }

  std::unique_ptr<PostgresServer> server;
};

TEST_F(S3Wal, NothingThatWasAcknowledgedIsLostWhenTheObjectStoreDiesUnderLoad) {
  auto& ceph = CephServer::shared();
  boat.must({"backup"});
  archive_with(boat / "lifeboat.yaml");
  std::atomic<bool> more{true};
  std::thread load([&] {
    while (more) write(4000);
  });
  for (int round = 0; round < 2; ++round) {
    const auto before = archiver("archived_count"), failed = archiver("failed_count");
    wait_for([&] { return archiver("archived_count") > before + 5; });
    ceph.stop_gateway();
    const auto stored = acknowledged();
    wait_for([&] { return archiver("failed_count") > failed; });
    // What is acknowledged without the object store can only have been on its way already.
    EXPECT_LE(acknowledged().size(), stored.size() + 8);
    if (round == 1) end_agents();
    ceph.start_gateway();
    if (round == 0) server->reload();
  }
  more = false;
  load.join();
  // The archiver pauses for a minute after it failed: that is seen, and nothing is lost.
  const auto late = listed(4);
  EXPECT_EQ(late["state"].string(), "failing") << late.dump();
  EXPECT_GT(late["delayed_bytes"].integer(), 0);
  EXPECT_EQ(late["lost"].integer(), 0);
  archive_all();
  const auto fine = listed(0);
  EXPECT_EQ(fine["state"].string(), "ok") << fine.dump();
  EXPECT_EQ(fine["lost"].integer() + fine["missing"].integer(), 0);
  const auto names = acknowledged();
  EXPECT_GT(names.size(), 15u);
  expect_stored(names);
  boat.must({"verify", "--deep"});
}

TEST_F(S3Wal, AKeyThatMayOnlyWriteArchivesAndReadsNothing) {
  boat.must({"backup"});
  boat.must({"key", "add", "host", "--write-only", "--file", boat / "host.key"});
  auto plan = read_text(boat / "lifeboat.yaml");
  const std::string key = "key: env:LIFEBOAT_KEY";
  plan.replace(plan.find(key), key.size(), "key: 'file:" + (boat / "host.key") + "'");
  write_text(boat / "host.yaml", plan);
  give_to_server_user(boat / "host.yaml");
  archive_with(boat / "host.yaml");
  for (int turn = 0; turn < 5; ++turn) write(5000);
  archive_all();
  const auto names = acknowledged();
  ASSERT_GT(names.size(), 4u);
  // Handed over once more, as after a crash, with nothing to compare by: kept beside.
  boat.environment()["LIFEBOAT_STATE"] = boat / "server";
  boat.must({"wal", "push", "--plan", boat / "host.yaml", "--store", "db",
             server->data() + "/pg_wal/" + names.back()});
  fs::create_directories(boat / "fetched/pg_wal");
  for (const auto* folder : {"fetched", "fetched/pg_wal"}) give_to_server_user(boat / folder);
  const auto fetched = boat.run({"wal", "fetch", "--plan", boat / "host.yaml", "--store", "db",
                                 names.back(), boat / "fetched/pg_wal/RECOVERYXLOG"});
  EXPECT_EQ(fetched.exit_code, 200) << fetched.err;
  EXPECT_NE(fetched.err.find("may write to the repository but not read it"), std::string::npos)
      << fetched.err;
  EXPECT_EQ(listed(0)["state"].string(), "ok");
  expect_stored(names);
  boat.must({"verify", "--deep"});
}

}  // namespace
}  // namespace lb::test
