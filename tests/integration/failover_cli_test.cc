// Page-exact backups across a failover that loses the primary, and back again. Every backup reads
// all pages and compares them with what the log named, so a page that was missed ends the test.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/postgres_server.h"
#include "tests/integration/failing_over.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class FailoverCli : public testing::Test {
 protected:
  FailoverCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    first = PostgresServer::start(options());
    first->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
    second = PostgresServer::standby_of(*first, options());
    protect(*first);
    boat.must({"init"});
    boat.must({"backup"});
    follow();
  }
  static PostgresOptions options() {
    PostgresOptions out;
    out.settings = {{"wal_keep_size", "1GB"}, {"wal_log_hints", "on"}, {"hot_standby", "on"}};
    return out;
  }
  // The plan means this server from now on.
  void protect(const PostgresServer& server) {
    boat.environment()["DB"] = server.conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, log: continuous, compare: 1, data: '" +
                    server.data() + "', every: daily 02:00}\n");
  }
  void follow() {
    stream = boat.start({"backup", "db", "--follow", "--verbose"});
    wait_for([&] {
      return !stream->alive() || stream->err_so_far().find("durable to") != std::string::npos;
    });
    ASSERT_TRUE(stream->alive()) << stream->err_so_far();
  }
  void load(const PostgresServer& server, int transactions) {
    server.run_tool({"pgbench", "-c", "2", "-n", "-t", std::to_string(transactions), "postgres"});
  }
  static std::string sums(const PostgresServer& server) { return server.value(sum_sql); }
  // Takes a point of changed pages of a server; another kind fails the test.
  void back_up_pages(const PostgresServer& server) {
    const auto now = sums(server);
    boat.must({"backup"});
    const auto listed = boat.must({"ls", "--json"}).summary();
    const auto id = listed["points"].items().back()["id"].string();
    const auto shown = boat.must({"show", id, "--json"}).summary();
    const auto& details = shown["details"];
    EXPECT_EQ(details["mode"].string(), "compared") << details["why_full"].string();
    points.emplace_back(id, now);
  }
  void expect_points_restore() {
    for (const auto& [id, expected] : points) {
      const auto folder = boat / ("restored-" + id);
      boat.must({"restore", "db", "--point", id, "--to", folder});
      const auto amcheck = [&](const std::string& socket) {
        const auto check =
            PostgresServer::binaries() + "/pg_amcheck -h " + socket +
            " -p 5432 -U postgres -d postgres --install-missing --heapallindexed >'" + folder +
            ".amcheck' 2>&1";
        EXPECT_EQ(std::system(check.c_str()), 0) << read_text(folder + ".amcheck");
      };
      EXPECT_EQ(ask_restored(folder, sum_sql, amcheck), expected) << id;
    }
  }
  static constexpr const char* sum_sql =
      "SELECT (SELECT count(*) || ' ' || sum(hashtext(a::text)) FROM pgbench_accounts a) || "
      "(SELECT count(*) || ' ' || sum(hashtext(h::text)) FROM pgbench_history h)";

  Lifeboat boat;
  std::unique_ptr<PostgresServer> first, second;
  std::unique_ptr<Running> stream;  // ends before the servers
  std::vector<std::pair<std::string, std::string>> points;
};

TEST_F(FailoverCli, PageBackupsGoOnThroughALostPrimaryAndBack) {
  load(*first, 300);
  back_up_pages(*first);
  wait_until_caught_up(*second, *first);
  auto busy = first->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
  wait_for([&] { return sums(*first) != points.back().second; });
  first->stop(StopMode::kill);
  busy->kill_with_children();
  stream->signal(SIGTERM);
  stream->wait();
  second->promote();
  protect(*second);
  // The stream may hold commits of the lost primary that the standby never had: a person says so.
  boat.must({"wal", "admit", "--store", "db", "--timeline", "2"});
  follow();
  load(*second, 300);
  back_up_pages(*second);

  rejoin(*first, *second);
  load(*second, 100);
  wait_until_caught_up(*first, *second);
  second->stop();
  stream->signal(SIGTERM);
  stream->wait();
  first->promote();
  protect(*first);
  follow();
  load(*first, 300);
  first->sql("VACUUM pgbench_accounts");
  back_up_pages(*first);
  load(*first, 100);
  back_up_pages(*first);
  EXPECT_EQ(first->value("SELECT timeline_id FROM pg_control_checkpoint()"), "3");
  expect_points_restore();
  boat.must({"verify", "--deep"});
}

// What the standby never got stays in the archive, on the timeline that was left.
TEST_F(FailoverCli, WhatOnlyTheLostPrimaryHadIsBroughtBackFromItsTimeline) {
  wait_until_caught_up(*second, *first);
  second->stop();
  first->sql("CREATE TABLE only_here AS SELECT 42 AS n");
  const auto end = first->value("SELECT pg_current_wal_flush_lsn()");
  wait_for([&] {
    return first->value(
               "SELECT count(*) FROM pg_stat_replication WHERE application_name = "
               "'lifeboat_stream' AND flush_lsn >= '" +
               end + "'") == "1";
  });
  first->stop(StopMode::kill);
  stream->signal(SIGTERM);
  stream->wait();
  second->start_again();
  second->promote();
  protect(*second);
  boat.must({"wal", "admit", "--store", "db", "--timeline", "2"});
  follow();
  load(*second, 50);
  back_up_pages(*second);

  auto restored = [&](const std::string& name, std::vector<std::string> more) {
    const auto folder = boat / name;
    std::vector<std::string> words = {"restore", "db", "--to", folder};
    words.insert(words.end(), more.begin(), more.end());
    boat.must(words);
    return ask_restored(folder, "SELECT (to_regclass('only_here') IS NOT NULL)::text");
  };
  EXPECT_EQ(restored("newest", {}), "false");
  EXPECT_EQ(restored("left", {"--timeline", "1"}), "true") << "from the point before the failover";
  EXPECT_EQ(restored("second", {"--timeline", "2"}), "false");
  auto refused = [&](int exit_code, const std::string& why, std::vector<std::string> more) {
    std::vector<std::string> words = {"restore", "db", "--to", boat / "refused"};
    words.insert(words.end(), more.begin(), more.end());
    const auto done = boat.run(words);
    EXPECT_EQ(done.exit_code, exit_code) << done.err;
    EXPECT_NE(done.err.find(why), std::string::npos) << done.err;
    EXPECT_FALSE(fs::exists(boat / "refused")) << "nothing is written before it is known";
  };
  refused(14, "timeline 9 does not descend", {"--timeline", "9"});
  refused(2, "--timeline 0", {"--timeline", "0"});
  refused(2, "contradict", {"--timeline", "1", "--point", points.back().first});
}

}  // namespace
}  // namespace lb::test
