// Page-exact backups by the real program: each point restores whole by itself, also when the ones
// before it are gone, packs were rewritten, or a backup was killed.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/harness/kill_moments.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/archiving.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class PagesCli : public testing::Test {
 protected:
  PagesCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, log: continuous, data: '" + server->data() +
                    "', every: daily 02:00}\n");
    boat.must({"init"});
    boat.must({"backup"});
    stream = boat.start({"backup", "db", "--follow", "--verbose"});
    wait_for([&] { return stream->err_so_far().find("durable to") != std::string::npos; });
  }
  void load(int transactions) const {
    server->run_tool({"pgbench", "-c", "2", "-n", "-t", std::to_string(transactions), "postgres"});
  }
  std::string newest() {
    return boat.must({"ls", "--json"}).summary()["points"].items().back()["id"].string();
  }
  static void flip(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }
  // Takes a point of changed pages; another kind fails the test.
  std::string back_up_pages() {
    boat.must({"backup"});
    auto id = newest();
    auto shown = boat.must({"show", id, "--json"}).summary();
    const auto& details = shown["details"];
    EXPECT_EQ(details["mode"].string(), "pages") << details["why_full"].string();
    EXPECT_EQ(details["way"].string(), "local");
    return id;
  }
  static constexpr const char* sum_sql =
      "SELECT (SELECT count(*) || ' ' || sum(hashtext(a::text)) FROM pgbench_accounts a) || "
      "(SELECT count(*) || ' ' || sum(hashtext(h::text)) FROM pgbench_history h)";
  // A map that says "visible to all" of a page that is not makes queries lie, and nothing else
  // tells.
  static void expect_true_visibility(const std::string& socket, const std::string& out) {
    auto check = PostgresServer::binaries() + "/psql -h " + socket +
                 " -p 5432 -U postgres -d postgres -v ON_ERROR_STOP=1 -Atc 'CREATE EXTENSION "
                 "pg_visibility' -c \"SELECT c.oid::regclass, v FROM pg_class c, LATERAL ("
                 "SELECT pg_check_visible(c.oid) UNION SELECT pg_check_frozen(c.oid)) AS x(v) "
                 "WHERE c.relkind IN ('r', 'm', 't')\" >'" +
                 out + "' 2>&1";
    EXPECT_EQ(std::system(check.c_str()), 0) << read_text(out);
    EXPECT_EQ(read_text(out), "CREATE EXTENSION\n") << "rows that are not as the map says";
  }
  // Restores a point as it was when its backup ended, and sums up what is in it.
  std::string restored_sums(const std::string& id) {
    auto folder = boat / ("restored-" + id);
    boat.must({"restore", "db", "--point", id, "--to", folder});
    auto answer = ask_restored(folder, sum_sql, [&](const std::string& socket) {
      auto check = PostgresServer::binaries() + "/pg_amcheck -h " + socket +
                   " -p 5432 -U postgres -d postgres --install-missing --heapallindexed >'" +
                   folder + ".amcheck' 2>&1";
      EXPECT_EQ(std::system(check.c_str()), 0) << read_text(folder + ".amcheck");
      expect_true_visibility(socket, folder + ".visibility");
    });
    fs::remove_all(folder);
    return answer;
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<Running> stream;  // ends before its server
};

TEST_F(PagesCli, EachPointRestoresByItself) {
  std::map<std::string, std::string> points;
  for (int turn = 0; turn < 3; ++turn) {
    load(300);
    if (turn == 1) {
      server->sql("VACUUM pgbench_accounts");
      server->sql("CREATE INDEX ON pgbench_history (aid)");
    }
    auto sums = server->value(sum_sql);
    points[back_up_pages()] = sums;
  }
  for (const auto& [id, sums] : points) EXPECT_EQ(restored_sums(id), sums) << id;
  boat.must({"verify", "--deep"});
}

TEST_F(PagesCli, PointsOutliveTheOnesTheyWereBuiltOn) {
  server->sql("UPDATE pgbench_accounts SET abalance = 5 WHERE aid % 3 = 0");
  back_up_pages();
  load(300);
  auto sums = server->value(sum_sql);
  auto last = back_up_pages();
  auto plan = read_text(boat / "lifeboat.yaml");
  auto key = plan.find("key: env:LIFEBOAT_KEY");
  write_text(boat / "lifeboat.yaml", plan.insert(key, "retain: {daily: 1d}, "));
  for (int turn = 0; turn < 3; ++turn) {
    boat.must({"prune", "--confirm", "test", "--grace", "0s", "--repack-below", "100%",
               "--repack-budget", "100%"});
  }
  EXPECT_EQ(boat.must({"ls", "--json"}).summary()["points"].items().size(), 1u)
      << boat.must({"prune", "-n"}).out;
  EXPECT_EQ(restored_sums(last), sums);
  boat.must({"verify", "--deep"});
}

TEST_F(PagesCli, AKilledBackupLeavesThePointsGood) {
  auto load_tool = server->start_tool({"pgbench", "-c", "2", "-t", "100000000", "-n", "postgres"});
  KillMoments moments(std::chrono::milliseconds(1000), 6);
  while (moments.more()) {
    auto running = boat.start({"backup"});
    std::this_thread::sleep_for(moments.next());
    const bool at_work = running->alive();
    running->signal(SIGKILL);
    (void)running->wait();
    moments.killed(at_work);
  }
  EXPECT_TRUE(moments.enough());
  load_tool->kill_with_children();
  wait_for([&] {
    return server->value(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'") == "0";
  });
  auto sums = server->value(sum_sql);
  auto id = back_up_pages();
  EXPECT_EQ(restored_sums(id), sums);
  boat.must({"verify", "--deep"});
}

// A page goes bad on the server's disk. Backups go on and name it, and what was taken before it
// went bad is not forgotten however many such points come in.
TEST_F(PagesCli, DamagedPagesAreNamedAndDriveNoOlderPointOut) {
  auto plan = read_text(boat / "lifeboat.yaml");
  plan.insert(plan.find("key: env:LIFEBOAT_KEY"), "retain: {daily: 1d}, ");
  plan.insert(plan.find("every: daily"), "compare: 1, ");
  write_text(boat / "lifeboat.yaml", plan);
  load(100);
  const auto sums = server->value(sum_sql);
  boat.must({"backup"});
  const auto sound = newest();
  EXPECT_EQ(boat.run({"status"}).out.find("damaged"), std::string::npos);
  const auto path = server->value("SELECT pg_relation_filepath('pgbench_accounts')");
  server->stop();
  flip(server->data() + "/" + path, 17 * 8192 + 5000);
  server->start_again();
  for (int turn = 0; turn < 2; ++turn) {
    const auto ran = boat.run({"backup"});
    EXPECT_EQ(ran.exit_code, 3) << ran.err;
    EXPECT_NE(ran.err.find(path + " block 17"), std::string::npos) << ran.err;
  }
  const auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("its source had 1 damaged page"), std::string::npos) << status.out;
  boat.must({"prune", "--confirm", "test", "--grace", "0s"});
  const auto kept = boat.must({"ls", "--json"}).summary()["points"].items();
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [&](const Json& each) {
    return each["id"].string() == sound;
  })) << boat.must({"prune", "-n"}).out;
  EXPECT_EQ(restored_sums(sound), sums);
  // Mended, it is read whole once more.
  server->stop();
  flip(server->data() + "/" + path, 17 * 8192 + 5000);
  server->start_again();
  boat.must({"backup"});
  const auto shown = boat.must({"show", newest(), "--json"}).summary();
  EXPECT_EQ(shown["details"]["mode"].string(), "full");
  EXPECT_EQ(shown["details"]["why_full"].string(), "the last one met damaged pages");
  EXPECT_EQ(boat.run({"status"}).out.find("damaged"), std::string::npos);
}

struct ToolFolder {
  TempDir tools;
};

// As the server's user, which cannot read all that lies in the server's folder.
class PagesOfTheServersUser : private ToolFolder, public testing::Test {
 protected:
  PagesOfTheServersUser() : boat(as_server_user(tools, LIFEBOAT_BINARY)) {}

  Lifeboat boat;
};

TEST_F(PagesOfTheServersUser, WhatItMayNotReadIsNamedAndTheRestIsSaved) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  if (::geteuid() != 0) GTEST_SKIP() << "makes files of another user";
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i");
  boat.environment()["DB"] = server->conninfo();
  boat.write_plan("stores:\n  db: {postgres: env:DB, data: '" + server->data() + "'}\n");
  give_to_server_user(boat.folder());
  boat.must({"init"});
  const auto key = server->data() + "/root's.key";
  write_text(key, "private");
  fs::permissions(key, fs::perms::owner_read);
  fs::create_directory(server->data() + "/lost+found");
  fs::permissions(server->data() + "/lost+found", fs::perms::owner_all);
  const auto ran = boat.run({"backup"});
  EXPECT_EQ(ran.exit_code, 3) << ran.err;
  EXPECT_NE(ran.err.find("root's.key"), std::string::npos) << ran.err;
  boat.must({"restore", "db", "--to", boat / "back"});
  EXPECT_EQ(ask_restored(boat / "back", "SELECT count(*) FROM t"), "1000");
  EXPECT_FALSE(fs::exists(boat / "back/root's.key"));
  // What the server cannot do without ends the backup.
  fs::remove(key);
  const auto version = server->data() + "/PG_VERSION";
  ASSERT_EQ(::chown(version.c_str(), 0, 0), 0);
  fs::permissions(version, fs::perms::owner_read);
  const auto refused = boat.run({"backup"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_NE(refused.exit_code, 3) << refused.err;
  EXPECT_NE(refused.err.find("Permission denied"), std::string::npos) << refused.err;
  EXPECT_EQ(boat.must({"ls", "--json"}).summary()["points"].items().size(), 1u);
}

}  // namespace
}  // namespace lb::test
