// Page-exact backups by the real program: each point restores whole by itself, also when the ones
// before it are gone, packs were rewritten, or a backup was killed.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/harness/kill_moments.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

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
  // Takes a point of changed pages; another kind fails the test.
  std::string back_up_pages() {
    boat.must({"backup"});
    auto points = boat.must({"ls", "--json"}).summary()["points"].items();
    auto id = points.back()["id"].string();
    auto shown = boat.must({"show", id, "--json"}).summary();
    const auto& details = shown["details"];
    EXPECT_EQ(details["mode"].string(), "pages") << details["why_full"].string();
    EXPECT_EQ(details["way"].string(), "local");
    return id;
  }
  static constexpr const char* sum_sql =
      "SELECT (SELECT count(*) || ' ' || sum(hashtext(a::text)) FROM pgbench_accounts a) || "
      "(SELECT count(*) || ' ' || sum(hashtext(h::text)) FROM pgbench_history h)";
  // Restores a point as it was when its backup ended, and sums up what is in it.
  std::string restored_sums(const std::string& id) {
    auto folder = boat / ("restored-" + id);
    boat.must({"restore", "db", "--point", id, "--to", folder});
    auto answer = ask_restored(folder, sum_sql, [&](const std::string& socket) {
      auto check = PostgresServer::binaries() + "/pg_amcheck -h " + socket +
                   " -p 5432 -U postgres -d postgres --install-missing --heapallindexed >'" +
                   folder + ".amcheck' 2>&1";
      EXPECT_EQ(std::system(check.c_str()), 0) << read_text(folder + ".amcheck");
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

}  // namespace
}  // namespace lb::test
