// Audits of point-in-time recovery by the real program: random moments of a log written under load,
// compared with the commit times that PostgreSQL itself remembers; a hole; a sandbox that lacks
// something.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// Waits for a condition of another process; the test's own time limit ends a wait in vain.
template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

// Writes and commits without pause until destroyed.
class Load {
 public:
  explicit Load(const PostgresServer& server)
      : thread_([this, &server] {
          while (!stop_) {
            server.sql("INSERT INTO ledger (body) VALUES ('entry')");
            server.sql("UPDATE ledger SET body = 'changed' WHERE id % 7 = 3");
            server.sql("DELETE FROM ledger WHERE id % 11 = 5");
          }
        }) {}
  ~Load() {
    stop_ = true;
    thread_.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class AuditCli : public testing::Test {
 protected:
  AuditCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    PostgresOptions options;
    options.tcp = true;
    options.settings = {{"track_commit_timestamp", "on"}, {"autovacuum", "off"}};
    server = PostgresServer::start(options);
    server->sql(
        "CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)");
    server->sql("INSERT INTO ledger (body) SELECT 'old ' || n FROM generate_series(1, 500) n");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan(
        "stores:\n  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1s}}\n"
        "targets:\n  sandbox: {isolate: network, folder: ./sandboxes}\n"
        "checks:\n  data: [{tables: [ledger]}]\n"
        "drills:\n  audit: {every: yearly, into: sandbox, checks: [data], "
        "pitr: {window: 30d, samples: 3}}\n");
    boat.must({"init"});
  }
  std::unique_ptr<Running> follow() {
    auto running = boat.start({"backup", "db", "--follow", "--verbose"});
    wait_for([&] { return running->err_so_far().find("durable to") != std::string::npos; });
    return running;
  }
  // Waits until what is committed now is durable in the repository.
  void catch_up(Running& stream) {
    server->sql("SELECT txid_current()");
    auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
    wait_for([&] {
      auto text = stream.err_so_far();
      auto at = text.rfind("durable to ");
      if (at == std::string::npos) return false;
      auto end = text.find_first_of(",\n", at);
      auto durable = text.substr(at + 11, end - at - 11);
      return server->value("SELECT '" + durable + "'::pg_lsn >= '" + lsn + "'::pg_lsn") == "t";
    });
  }
  Json audit(int expected_exit, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"drill", "audit", "--json", "--out", boat / "report"};
    words.insert(words.end(), more.begin(), more.end());
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, expected_exit) << ran.out << ran.err;
    expect_nothing_left();
    return ran.summary();
  }
  void expect_nothing_left() {
    EXPECT_TRUE(processes_with(boat.folder() + "/sandboxes").empty());
    if (!fs::exists(boat / "sandboxes")) return;
    for (const auto& entry : fs::recursive_directory_iterator(boat / "sandboxes"))
      ADD_FAILURE() << "left behind: " << entry.path();
  }
  // PostgreSQL's own memory of when rows were committed must enclose what the audit says.
  void expect_right(const Json& moment) {
    const auto& store = moment["stores"].items().at(0);
    auto at = "'" + moment["moment"].string() + "'::timestamptz";
    auto reached = "'" + store["reached"].string() + "'::timestamptz";
    auto next = "'" + store["next_commit"].string() + "'::timestamptz";
    const std::string committed = "(SELECT pg_xact_commit_timestamp(xmin) AS t FROM ledger) c";
    EXPECT_EQ(server->value("SELECT " + reached + " <= " + at + " AND " + at + " < " + next), "t")
        << moment.dump();
    EXPECT_EQ(server->value("SELECT count(*) FROM " + committed + " WHERE t > " + reached +
                            " AND t < " + next),
              "0")
        << "no commit lies between: " << moment.dump();
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(AuditCli, ProvesRandomMomentsUnderLoadAndRepeatsThem) {
  boat.must({"backup"});
  auto stream = follow();
  Load load(*server);
  std::this_thread::sleep_for(std::chrono::seconds(8));
  boat.must({"backup"});
  std::this_thread::sleep_for(std::chrono::seconds(4));
  auto summary = audit(0);
  EXPECT_EQ(summary["verdict"].string(), "PASS") << summary["reason"].string();
  const auto& audited = summary["record"]["audit"];
  ASSERT_EQ(audited["moments"].items().size(), 3u);
  std::vector<std::string> moments;
  for (const auto& moment : audited["moments"].items()) {
    EXPECT_EQ(moment["verdict"].string(), "PASS") << moment.dump();
    EXPECT_EQ(moment["checks_passed"].integer(), 3) << "moment, rows, tables: " << moment.dump();
    EXPECT_FALSE(moment["stores"].items().at(0)["replay_us"].is_null());
    expect_right(moment);
    moments.push_back(moment["moment"].string());
  }
  EXPECT_TRUE(summary["record"]["measured_rpo_us"].is_null()) << "a lag is no loss";
  auto page = read_text(boat / "report/report.html");
  for (const auto& moment : moments) EXPECT_NE(page.find(moment), std::string::npos);

  auto again = audit(
      0, {"--seed", std::to_string(audited["seed"].integer()), "--at", audited["to"].string()});
  std::vector<std::string> repeated;
  for (const auto& moment : again["record"]["audit"]["moments"].items())
    repeated.push_back(moment["moment"].string());
  EXPECT_EQ(repeated, moments);
}

TEST_F(AuditCli, AHoleFailsTheAuditAndIsNamed) {
  boat.must({"backup"});
  auto stream = follow();
  std::string middle;
  for (int i = 0; i < 4; ++i) {
    for (int n = 0; n < 3; ++n) {
      server->sql("INSERT INTO ledger (body) VALUES ('segment')");
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
    }
    if (i == 2) middle = server->value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    server->sql("SELECT pg_switch_wal()");
  }
  catch_up(*stream);
  stream->signal(SIGTERM);
  stream->wait();
  EXPECT_EQ(audit(0)["verdict"].string(), "PASS") << "whole as yet";
  char name[32];
  std::snprintf(name, sizeof name, "%016lx", std::stoul(middle.substr(16), nullptr, 16));
  bool removed = false;
  for (const auto& path : files_below(boat.repository() + "/w")) {
    if (path.find(name) != std::string::npos) removed = fs::remove(path) || removed;
  }
  ASSERT_TRUE(removed) << name;

  auto summary = audit(4);
  EXPECT_EQ(summary["verdict"].string(), "FAIL");
  EXPECT_NE(summary["reason"].string().find("WAL " + middle + " is missing"), std::string::npos)
      << summary["reason"].string();
  const auto& audited = summary["record"]["audit"];
  ASSERT_EQ(audited["gaps"].items().size(), 1u) << audited.dump();
  std::size_t proven = 0;
  for (const auto& moment : audited["moments"].items())
    proven += moment["verdict"].string() == "PASS" ? 1u : 0u;
  EXPECT_GT(proven, 0u) << "what lies before the hole is proven all the same";
  EXPECT_LT(proven, audited["moments"].items().size());
  EXPECT_NE(read_text(boat / "report/report.html").find("out of reach"), std::string::npos);
}

TEST_F(AuditCli, AGroupIsAuditedWhereItsFilesStand) {
  write_text(boat / "media/one.txt", "one");
  auto plan = read_text(boat / "lifeboat.yaml");
  auto insert = [&](const std::string& before, const std::string& text) {
    plan.insert(plan.find(before), text);
  };
  insert("targets:",
         "  media: {files: ./media, every: hourly}\n"
         "groups:\n  app: {stores: [db, media], authority: db}\n");
  insert("into: sandbox, checks", "restore: app, verify: 100%, ");
  write_text(boat / "lifeboat.yaml", plan);
  boat.must({"backup"});
  auto stream = follow();
  Load load(*server);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    boat.must({"backup", "media"});
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  auto summary = audit(0);
  EXPECT_EQ(summary["verdict"].string(), "PASS") << summary["reason"].string();
  for (const auto& moment : summary["record"]["audit"]["moments"].items())
    EXPECT_EQ(moment["stores"].items().size(), 2u) << moment.dump();

  // What says verify: is read back first; damage ends it there.
  for (const auto& path : files_below(boat.repository() + "/p")) fs::resize_file(path, 100);
  auto ran = boat.run({"drill", "audit"});
  EXPECT_EQ(ran.exit_code, 13) << ran.out << ran.err;
}

TEST_F(AuditCli, StoppedHalfWayItProvesNothingAndLeavesNothing) {
  boat.must({"backup"});
  auto stream = follow();
  Load load(*server);
  std::this_thread::sleep_for(std::chrono::seconds(6));
  auto running = boat.start({"drill", "audit", "--verbose"});
  wait_for([&] { return running->err_so_far().find("moment 2 of 3") != std::string::npos; });
  running->signal(SIGTERM);
  EXPECT_NE(running->wait().exit_code, 0);
  expect_nothing_left();
  auto listed = boat.must({"drill", "ls"}).out;
  EXPECT_NE(listed.find("INCONCLUSIVE"), std::string::npos) << listed;
  // The second may have come to its end before the signal did.
  const bool told = listed.find("stopped after 1 of 3 moments") != std::string::npos ||
                    listed.find("stopped after 2 of 3 moments") != std::string::npos;
  EXPECT_TRUE(told) << listed;
}

TEST_F(AuditCli, WhatTheSandboxLacksIsInconclusiveAndNamed) {
  // An extension of the catalog alone: this machine has no files of it.
  server->sql(
      "SET allow_system_table_mods = on; INSERT INTO pg_extension SELECT 90001, "
      "'nowhere_installed', 10, 2200, false, '1.0', NULL, NULL");
  boat.must({"backup"});
  auto stream = follow();
  for (int n = 0; n < 5; ++n) {
    server->sql("INSERT INTO ledger (body) VALUES ('later')");
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
  catch_up(*stream);
  EXPECT_EQ(boat.run({"drill", "audit", "--keep"}).exit_code, 2) << "many copies, one at a time";
  auto summary = audit(1);
  EXPECT_EQ(summary["verdict"].string(), "INCONCLUSIVE");
  EXPECT_NE(summary["reason"].string().find("nowhere_installed"), std::string::npos)
      << summary["reason"].string();
}

TEST_F(AuditCli, AServerThatCannotStartHereIsInconclusive) {
  // Needed to read its own data, so the restored server loads it as production does.
  server->sql("ALTER SYSTEM SET shared_preload_libraries = 'timescaledb'");
  boat.must({"backup"});
  auto stream = follow();
  for (int n = 0; n < 4; ++n) {
    server->sql("INSERT INTO ledger (body) VALUES ('later')");
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
  catch_up(*stream);
  auto summary = audit(1);
  EXPECT_EQ(summary["verdict"].string(), "INCONCLUSIVE");
  EXPECT_NE(summary["reason"].string().find("timescaledb"), std::string::npos)
      << summary["reason"].string();
}

}  // namespace
}  // namespace lb::test
