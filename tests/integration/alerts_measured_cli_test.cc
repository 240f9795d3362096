// What is measured (bounds of alerts:), and what only time brings about: told once, and so is its
// end. With the real program, real servers and a webhook on loopback.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/web_stand_in.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class AlertsMeasured : public testing::Test {
 protected:
  AlertsMeasured() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    boat.environment()["HOOK"] = web.url("/hook");
    boat.environment()["SUDO_USER"] = "ada";
  }
  // `on`: what ada hears of.
  void plan(const std::string& on, const std::string& more,
            const std::string& repository = "./repository") {
    boat.write_plan(cat("channels: {hook: {webhook: env:HOOK, limit: 5s}}\n",
                        "people: {ada: {users: ada, via: hook}}\n", "alerts: {warning: {on: [", on,
                        "], send: ada}}\n", more),
                    repository);
  }
  // Of one event: "trigger" or "resolve", in the order in which they came.
  Lines of(const std::string& event) {
    Lines out;
    for (const auto& one : web.all()) {
      if (one.path != "/hook") continue;
      const auto json = parse_json(one.body).take();
      if (json["subject"].string().find(event) != std::string::npos)
        out.push_back(json["event"].string());
    }
    return out;
  }
  std::string text_of(const std::string& event) {
    for (const auto& one : web.all()) {
      if (one.path != "/hook") continue;
      const auto json = parse_json(one.body).take();
      if (json["subject"].string().find(event) != std::string::npos) return json["text"].string();
    }
    return {};
  }
  // Looks until so many messages of the event have come.
  void look_until(const std::string& event, std::size_t count) {
    while (of(event).size() < count) {
      boat.run({"status"});
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  std::atomic<int> health{200};
  WebStandIn web{[this](const WebRequest& asked) {
    return WebAnswer{asked.path == "/health" ? health.load() : 200, "{}"};
  }};
  Lifeboat boat;
};

// One disk that holds the repository and the state is one disk.
TEST_F(AlertsMeasured, OneDiskIsOneAlert) {
  plan("{disk: 0%}", "stores: {media: {files: ./media}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  EXPECT_EQ(of("disk above 0%"), Lines{"trigger"}) << web.told();
  EXPECT_NE(text_of("disk above 0%").find("also of "), std::string::npos) << web.told();
}

TEST_F(AlertsMeasured, AServiceThatFailsOrIsAwayIsToldAndSoIsItsEnd) {
  plan("{error_rate: 10%}, {response_time: 30s}, target unreachable",
       cat("stores: {media: {files: ./media}}\n", "targets: {live: {protect: true, url: \"",
           web.url(""), "\"}}\n",
           "checks: {api: [{http: GET /health}, {http: POST /jobs, json: {a: b}}]}\n"));
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"status"});
  EXPECT_EQ(web.count("/health"), 5U) << web.told();
  EXPECT_EQ(web.count("/jobs"), 0U) << "nothing that changes anything is asked";
  EXPECT_EQ(web.count("/hook"), 0U) << web.told();
  health = 503;
  const auto failing = boat.run({"status"});
  EXPECT_EQ(failing.exit_code, 4);
  EXPECT_NE(failing.out.find("Above 10%"), std::string::npos) << failing.out;
  boat.run({"status"});
  EXPECT_EQ(of("error_rate above 10%: service of live"), Lines{"trigger"}) << web.told();
  EXPECT_NE(text_of("error_rate").find("5 of 5 failed"), std::string::npos) << web.told();
  health = 200;
  boat.must({"status"});
  EXPECT_EQ(of("error_rate above 10%: service of live"), (Lines{"trigger", "resolve"}))
      << web.told();
  EXPECT_EQ(of("target unreachable"), Lines{});
  // Nobody listens at port 1.
  plan("{response_time: 30s}, target unreachable",
       "stores: {media: {files: ./media}}\n"
       "targets: {live: {protect: true, url: \"http://127.0.0.1:1\"}}\n");
  const auto away = boat.run({"status"});
  EXPECT_EQ(away.exit_code, 4);
  EXPECT_NE(away.out.find("none of 5 requests was answered"), std::string::npos) << away.out;
  EXPECT_EQ(of("target unreachable: service of live"), Lines{"trigger"}) << web.told();
  EXPECT_EQ(of("response_time above 30s"), Lines{"trigger"}) << web.told();
}

TEST_F(AlertsMeasured, ACopyThatIsLateOrWasNeverMadeIsTold) {
  boat.write_plan("stores: {media: {files: ./media}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  const auto with_copy = [&](const std::string& within) {
    write_text(boat / "lifeboat.yaml",
               cat("version: 1\nsystem: test\nrepository: {at: ./repository, key: "
                   "env:LIFEBOAT_KEY, copies: [{at: ./copy, within: ",
                   within,
                   "}]}\nstores: {media: {files: ./media}}\n"
                   "channels: {hook: {webhook: env:HOOK}}\n"
                   "people: {ada: {users: ada, via: hook}}\n"
                   "alerts: {warning: {on: [copy late], send: ada}}\n"));
  };
  with_copy("1h");
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  EXPECT_EQ(of("copy late"), Lines{"trigger"}) << web.told();
  EXPECT_NE(text_of("copy late").find("was never made"), std::string::npos) << web.told();
  boat.must({"copy", "sync"});
  boat.must({"status"});
  EXPECT_EQ(of("copy late"), (Lines{"trigger", "resolve"})) << web.told();
  with_copy("1s");
  write_text(boat / "media/b.txt", "two");
  boat.must({"backup"});
  look_until("copy late", 3);
  boat.run({"status"});
  EXPECT_EQ(of("copy late"), (Lines{"trigger", "resolve", "trigger"})) << web.told();
  boat.must({"copy", "sync"});
  boat.must({"status"});
  EXPECT_EQ(of("copy late"), (Lines{"trigger", "resolve", "trigger", "resolve"})) << web.told();
}

TEST_F(AlertsMeasured, AMissedRtoIsToldAndEndsWithItsIncident) {
  plan(
      "rto breached",
      "stores: {media: {files: ./media}}\n"
      "runbooks: {loss: {symptoms: [queries fail], objective: {rto: 4h}, steps: [{banner: x}]}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"incident", "open", "P1", "no orders", "-s", "queries fail"});
  boat.run({"status"});
  EXPECT_EQ(of("rto breached"), Lines{}) << "there are four hours";
  boat.must({"incident", "close", "-m", "a false alarm"});
  boat.must({"incident", "open", "P1", "no orders", "-s", "queries fail", "--failed-at",
             "2020-01-13T02:14:00Z"});
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  boat.must({"watch", "--once"});
  EXPECT_EQ(of("rto breached"), Lines{"trigger"}) << web.told();
  EXPECT_NE(text_of("rto breached").find("target RTO 4h of runbook loss is missed"),
            std::string::npos)
      << web.told();
  boat.must({"incident", "close", "-m", "restored"});
  boat.must({"status"});
  EXPECT_EQ(of("rto breached"), (Lines{"trigger", "resolve"})) << web.told();
}

// Somebody outside of the roles decides all the same: allowed, loud, and looked at afterwards.
TEST_F(AlertsMeasured, BreakingTheGlassIsLoudAndLeavesAReview) {
  boat.write_plan(R"(stores: {media: {files: ./media}}
channels: {hook: {webhook: env:HOOK}}
people:
  ada:  {users: ada}
  eve:  {users: eve}
  boss: {users: boss, via: hook}
runbooks: {main: {steps: [{gate: {approve: boss}}, {run: "true"}]}}
)");
  boat.must({"init"});
  boat.must({"backup"});
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  const auto decide = [&](const std::string& who, const Lines& more) {
    boat.environment()["SUDO_USER"] = who;
    Lines words = {"approve", "1", "--break-glass"};
    words.insert(words.end(), more.begin(), more.end());
    boat.run(words);
    boat.run({"resume", "--no-wait"});
    return boat.must({"run", "show", "--json"}).summary()["state"].string() == "done";
  };
  EXPECT_FALSE(decide("eve", {})) << "without a reason";
  EXPECT_FALSE(decide("nobody", {"-m", "all are asleep"}));
  EXPECT_EQ(of("GLASS"), Lines{});
  EXPECT_TRUE(boat.must({"task", "ls", "--json"}).summary()["tasks"].items().empty());
  EXPECT_TRUE(decide("eve", {"-m", "boss is on a plane"}));
  EXPECT_EQ(web.count("/hook", "THE GLASS WAS BROKEN"), 1U) << web.told();
  EXPECT_EQ(web.count("/hook", "boss is on a plane"), 1U) << web.told();
  for (const auto& one : web.all()) {
    const auto json = parse_json(one.body).take();
    if (one.body.find("GLASS") == std::string::npos) continue;
    EXPECT_EQ(json["severity"].string(), "critical");
    EXPECT_EQ(json["to"].string(), "boss");
  }
  const auto tasks = boat.must({"task", "ls", "--json"}).summary()["tasks"].items();
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_NE(tasks[0]["text"].string().find("glass"), std::string::npos)
      << tasks[0]["text"].string();
}

class MeasuredPostgres : public AlertsMeasured {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
  void start(PostgresOptions options) {
    server = PostgresServer::start(options);
    server->sql("CREATE TABLE t AS SELECT generate_series(1, 5000) AS n");
    boat.environment()["DB"] = server->conninfo();
  }
  std::unique_ptr<PostgresServer> server;
};

TEST_F(MeasuredPostgres, ConnectionsAndStatementsOfTheServer) {
  start({.max_wal_senders = 2, .settings = {{"max_connections", "8"}}});  // 3 for superusers
  plan("{connections: 50%}, {slow_queries: 0}", "stores: {db: {postgres: env:DB}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  std::vector<std::unique_ptr<pg::Connection>> sessions;
  for (int i = 0; i < 4; ++i)
    sessions.push_back(pg::Connection::open(Secret(server->conninfo())).take());
  const auto full = boat.run({"status"});
  EXPECT_EQ(full.exit_code, 4);
  EXPECT_NE(full.out.find("of 5 connections of db are used. Above 50%"), std::string::npos)
      << full.out;
  boat.run({"status"});
  EXPECT_EQ(of("connections above 50%: db"), Lines{"trigger"}) << web.told();
  sessions.clear();
  look_until("connections above 50%: db", 2);
  EXPECT_EQ(of("connections above 50%: db"), (Lines{"trigger", "resolve"})) << web.told();
  EXPECT_EQ(of("slow_queries"), Lines{}) << "none has been at work for a minute";
  // What may not be seen is said, and is not taken for none.
  server->make_role("blind", "word");
  boat.environment()["DB"] = server->conninfo_as("blind", "word");
  const auto blind = boat.run({"status"});
  EXPECT_EQ(blind.exit_code, 4);
  EXPECT_NE(blind.out.find("GRANT pg_read_all_stats TO \"blind\""), std::string::npos) << blind.out;
  server->stop();
  const auto away = boat.run({"status"});
  EXPECT_EQ(away.exit_code, 4);
  EXPECT_NE(away.out.find("load of db"), std::string::npos) << away.out;
}

// Nothing brings the log until somebody streams it.
TEST_F(MeasuredPostgres, ALogThatLagsIsToldAndSoIsItsEnd) {
  start({});
  plan("{lag: 4s}", "stores: {db: {postgres: env:DB, every: yearly, log: continuous}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  look_until("lag above 4s: log of db", 1);
  auto stream = boat.start({"backup", "db", "--follow"});
  while (stream->alive() && of("lag above 4s: log of db").size() < 2) {
    server->sql("SELECT pg_logical_emit_message(true, 'a', 'b')");
    boat.run({"status"});
  }
  EXPECT_EQ(of("lag above 4s: log of db"), (Lines{"trigger", "resolve"})) << web.told();
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
}

// The repository is away: log stays in the spool, and people hear of it before that is full.
TEST_F(MeasuredPostgres, ASpoolThatFillsIsToldAndSoIsItsEnd) {
  start({});
  plan("spool filling",
       "stores: {db: {postgres: env:DB, every: yearly, log: continuous, spool: {at: ./spool, most: "
       "64MiB}}}\n");
  boat.must({"init"});
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow"});
  const auto active = "SELECT count(*) FROM pg_replication_slots WHERE active";
  while (stream->alive() && server->value(active) != "1")
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  fs::rename(boat.repository(), boat / "away");
  while (stream->alive() && of("spool filling").empty()) {
    // More than a segment, as long as there is room for it.
    server->sql("SELECT pg_logical_emit_message(false, 'a', repeat('x', 1000000))");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(of("spool filling"), Lines{"trigger"}) << stream->err_so_far();
  EXPECT_NE(text_of("spool filling").find("only in the spool, which may hold"), std::string::npos);
  fs::rename(boat / "away", boat.repository());
  while (stream->alive() && of("spool filling").size() < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(of("spool filling"), (Lines{"trigger", "resolve"})) << stream->err_so_far();
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
}

// A page that is another one than the log says, on a server that keeps no checksums.
TEST_F(MeasuredPostgres, APageThatTheLogDoesNotExplainIsTold) {
  start({.checksums = false, .settings = {{"wal_log_hints", "on"}, {"autovacuum", "off"}}});
  plan("data damaged",
       cat("stores: {db: {postgres: env:DB, every: yearly, log: continuous, compare: 1, data: '",
           server->data(), "'}}\n"));
  boat.must({"init"});
  server->sql("VACUUM (FREEZE) t");
  server->sql("CHECKPOINT");
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow"});
  const auto active = "SELECT count(*) FROM pg_replication_slots WHERE active";
  while (stream->alive() && server->value(active) != "1")
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // The first such point is read whole for want of log; then all pages are compared.
  const auto mode = [&] {
    boat.must({"backup"});
    const auto listed = boat.must({"ls", "--json"}).summary();
    const auto id = listed["points"].items().back()["id"].string();
    return boat.must({"show", id, "--json"}).summary()["details"]["mode"].string();
  };
  while (stream->alive() && mode() != "compared")
    server->sql("SELECT pg_logical_emit_message(true, 'a', 'b')");
  EXPECT_EQ(of("data damaged"), Lines{}) << web.told();
  const auto file = server->data() + "/" + server->value("SELECT pg_relation_filepath('t')");
  auto bytes = read_text(file);
  ASSERT_GT(bytes.size(), 16384U);
  bytes[8192 + 8000] = static_cast<char>(bytes[8192 + 8000] ^ 1);  // of a row
  write_text(file, bytes);
  const auto found = boat.run({"backup"});
  EXPECT_EQ(found.exit_code, 3) << found.err;
  EXPECT_NE(found.err.find("changed though the log did not say so"), std::string::npos)
      << found.err;
  EXPECT_EQ(of("data damaged"), Lines{"trigger"}) << web.told();
  boat.must({"backup"});
  EXPECT_EQ(of("data damaged"), (Lines{"trigger", "resolve"})) << web.told();
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
}

}  // namespace
}  // namespace lb::test
