// What the product finds wrong reaches people, once, and so does its end: with the real program,
// and a webhook on loopback in the place of the service that wakes somebody.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/web_stand_in.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class AlertsCli : public testing::Test {
 protected:
  AlertsCli() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    boat.environment()["HOOK"] = web.url("/hook");
    boat.environment()["ALIVE"] = web.url("/alive");
    boat.environment()["SUDO_USER"] = "root";
    plan("{every: hourly, files: ./media}");
    boat.must({"init"});
  }
  void plan(const std::string& media, const std::string& more = "") {
    boat.write_plan(cat("stores: {media: ", media, "}\n", R"(
channels: {hook: {webhook: env:HOOK, limit: 5s}}
people: {ada: {users: ada, via: hook}, bob: {users: bob, via: hook}}
alerts:
  critical: {on: [backup failed, repository unreachable, drill failed, rpo breached], send: ada}
  warning:
    on: [backup incomplete, backup overdue, approval late, restore failed, verify failed,
         {disk: 0%}]
    send: bob
  heartbeat: env:ALIVE
)",
                        more));
  }
  // "ada trigger critical test: backup failed: media", in the order in which they came.
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& one : web.all()) {
      if (one.path != "/hook") continue;
      const auto json = parse_json(one.body).take();
      if (json["subject"].string().find(": disk above") != std::string::npos) continue;
      out.push_back(cat(json["to"].string(), " ", json["event"].string(), " ",
                        json["severity"].string(), " ", json["subject"].string()));
    }
    return out;
  }
  // Several that are sent at once arrive in any order.
  std::vector<std::string> sorted() {
    auto out = told();
    std::sort(out.begin(), out.end());
    return out;
  }
  void on(const std::string& machine) { boat.environment()["LIFEBOAT_STATE"] = boat / machine; }

  std::atomic<int> answers{200};
  WebStandIn web{[this](const WebRequest&) { return WebAnswer{answers, "{}"}; }};
  Lifeboat boat;
};

using Lines = std::vector<std::string>;

TEST_F(AlertsCli, ABackupThatFailsIsToldOnceAndSoIsItsEnd) {
  fs::rename(boat / "media", boat / "away");
  EXPECT_NE(boat.run({"backup"}).exit_code, 0);
  EXPECT_EQ(told(), Lines{"ada trigger critical test: backup failed: media"});
  EXPECT_NE(boat.run({"backup"}).exit_code, 0);
  on("elsewhere");
  EXPECT_NE(boat.run({"backup"}).exit_code, 0);
  EXPECT_EQ(told().size(), 1U) << "people know";
  fs::rename(boat / "away", boat / "media");
  boat.must({"backup"});
  boat.must({"backup"});
  EXPECT_EQ(told(), (Lines{"ada trigger critical test: backup failed: media",
                           "ada resolve info test: over: backup failed: media"}));
  const auto first = parse_json(web.all().front().body).take();
  EXPECT_NE(first["text"].string().find("media"), std::string::npos);
  EXPECT_EQ(first["about"], parse_json(web.all().back().body).take()["about"]);
}

TEST_F(AlertsCli, WhatAPointLacksIsTold) {
  plan("{files: ./media, expect: {bytes: \"> 1MiB\"}}");
  EXPECT_EQ(boat.run({"backup"}).exit_code, 4);
  EXPECT_EQ(told(), Lines{"ada trigger critical test: backup failed: media"});
  plan("{files: ./media}");
  boat.must({"backup"});
  EXPECT_EQ(told().back(), "ada resolve info test: over: backup failed: media");
}

TEST_F(AlertsCli, AWrongPlanIsSaidOnce) {
  plan("{files: ./media, evry: hourly}");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"watch", "--once"}, {"incident", "ls"}, {"status"}}) {
    const auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
    const auto first = ran.err.find("evry");
    ASSERT_NE(first, std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("lifeboat.yaml:", ran.err.find("lifeboat.yaml:") + 1), std::string::npos)
        << ran.err;
    EXPECT_NE(ran.err.find("has 1 mistake"), std::string::npos) << ran.err;
  }
}

// Neither the repository nor its key is needed to tell people that it is gone.
TEST_F(AlertsCli, ARepositoryThatIsGoneIsTold) {
  boat.must({"backup"});
  fs::rename(boat.repository(), boat / "away");
  EXPECT_NE(boat.run({"backup"}).exit_code, 0);
  const auto lines = sorted();
  ASSERT_EQ(lines.size(), 2U) << web.told();
  EXPECT_EQ(lines[0], "ada trigger critical test: backup failed: media");
  EXPECT_TRUE(lines[1].starts_with("ada trigger critical test: repository unreachable: from "))
      << lines[1];
  EXPECT_NE(boat.run({"status"}).exit_code, 0);
  EXPECT_EQ(told().size(), 2U);
  fs::rename(boat / "away", boat.repository());
  boat.must({"backup"});
  EXPECT_EQ(told().size(), 4U) << web.told();
}

TEST_F(AlertsCli, StatusAndWatchTellWhatIsMissedAndItsEnd) {
  plan("{files: ./media, every: yearly, objective: {rpo: 1s}}");
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  EXPECT_EQ(sorted(), (Lines{"ada trigger critical test: rpo breached: media",
                             "bob trigger warning test: backup overdue: media"}));
  on("elsewhere");
  boat.must({"watch", "--once"});
  EXPECT_EQ(told().size(), 2U) << web.told();
  boat.must({"backup"});
  plan("{files: ./media, every: yearly, objective: {rpo: 24h}}");
  boat.must({"watch", "--once"});
  EXPECT_EQ(told().size(), 4U) << web.told();
  plan("{files: ./media}");
  boat.must({"watch", "--once"});
  EXPECT_EQ(told().size(), 4U) << web.told();
}

TEST_F(AlertsCli, ADrillThatFailsOrCannotRunIsTold) {
  const auto drills = [](const std::string& count) {
    return cat("targets: {sandbox: {isolate: network}}\nchecks: {files: [{files: {count: ", count,
               "}}]}\ndrills: {full: {restore: media, into: sandbox, checks: [files]}}\n");
  };
  boat.must({"backup"});
  plan("{files: ./media}", drills("7"));
  EXPECT_EQ(boat.run({"drill", "full"}).exit_code, 4);
  EXPECT_EQ(told(), Lines{"ada trigger critical test: drill failed: full"});
  EXPECT_NE(parse_json(web.all().back().body).take()["text"].string().find("FAIL"),
            std::string::npos);
  boat.run({"status"});
  EXPECT_EQ(told().size(), 1U);
  plan("{files: ./media}", drills("1"));
  boat.must({"drill", "full"});
  EXPECT_EQ(told().back(), "ada resolve info test: over: drill failed: full");
  fs::rename(boat.repository(), boat / "away");
  EXPECT_NE(boat.run({"drill", "full"}).exit_code, 0);
  fs::rename(boat / "away", boat.repository());
  auto last = told();
  last.erase(last.begin(), last.begin() + 2);
  EXPECT_EQ(std::count(last.begin(), last.end(), "ada trigger critical test: drill failed: full"),
            1);
}

TEST_F(AlertsCli, ADiskAboveItsBoundIsToldAndShown) {
  boat.must({"backup"});
  const auto status = boat.run({"status"});
  EXPECT_EQ(status.exit_code, 4);
  EXPECT_NE(status.out.find("above 0%"), std::string::npos) << status.out;
  EXPECT_GE(web.count("/hook", "disk above 0%: disk of "), 1U) << web.told();
  const auto before = web.all().size();
  boat.run({"status"});
  EXPECT_EQ(web.all().size(), before);
}

// What waits is said with its age, and whoever works next carries it on.
TEST_F(AlertsCli, WhatWaitsInTheOutboxIsSeenAndGoes) {
  fs::rename(boat / "media", boat / "away");
  answers = 503;
  const auto failed = boat.run({"backup"});
  EXPECT_NE(failed.exit_code, 0);
  EXPECT_NE(failed.err.find("wait in the outbox"), std::string::npos) << failed.err;
  const auto status = boat.run({"status"});
  EXPECT_NE(status.out.find("to be delivered, the oldest since"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("for ada: hook: HTTP 503"), std::string::npos) << status.out;
  fs::rename(boat / "away", boat / "media");
  answers = 200;
  const auto waits = [&] {
    const auto messages = boat.must({"message", "ls", "--json"}).summary()["messages"].items();
    return std::any_of(messages.begin(), messages.end(),
                       [](const auto& message) { return message["state"].string() == "waiting"; });
  };
  // Each waits some seconds after a failure; a backup is not there to send messages, and does.
  while (waits()) {
    boat.must({"backup"});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  const auto last = told();
  EXPECT_EQ(
      std::count(last.begin(), last.end(), "ada resolve info test: over: backup failed: media"), 1)
      << web.told();
  EXPECT_EQ(boat.run({"status"}).out.find("to be delivered"), std::string::npos);
}

// A receiver that fails for a whole minute loses nothing, and hears of it once.
TEST_F(AlertsCli, AMinuteOfFailuresLosesNoMessage) {
  fs::rename(boat / "media", boat / "away");
  answers = 500;
  const auto since = std::chrono::steady_clock::now();
  EXPECT_NE(boat.run({"backup"}).exit_code, 0);
  const auto states = [&] {
    std::vector<std::string> out;
    const auto messages = boat.must({"message", "ls", "--json"}).summary()["messages"].items();
    for (const auto& message : messages) out.push_back(message["state"].string());
    return out;
  };
  while (std::chrono::steady_clock::now() - since < std::chrono::minutes(1)) {
    boat.run({"status"});
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  const auto late = states();
  EXPECT_EQ(std::count(late.begin(), late.end(), "undelivered"), 0);
  EXPECT_EQ(std::count(late.begin(), late.end(), "delivered"), 0);
  const auto tried = web.count("/hook", "backup failed: media");
  EXPECT_GT(tried, 1U) << "it was tried again";
  EXPECT_LT(tried, 60U) << "less and less often";
  answers = 200;
  auto now = late;
  while (std::count(now.begin(), now.end(), "waiting") > 0) {
    boat.run({"status"});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    now = states();
  }
  EXPECT_EQ(std::count(now.begin(), now.end(), "undelivered"), 0);
  EXPECT_EQ(web.count("/hook", "backup failed: media"), tried + 1) << "taken once";
}

// The switch outside hears nothing as soon as anything is wrong.
TEST_F(AlertsCli, TheHeartbeatBeatsOnlyWhileAllIsWell) {
  const std::string head =
      "channels: {hook: {webhook: env:HOOK}}\npeople: {ada: {via: hook}}\n"
      "alerts: {critical: {on: [backup failed], send: ada}, heartbeat: env:ALIVE}\n";
  boat.write_plan(head +
                  "stores: {media: {files: ./media, every: yearly, objective: {rpo: 24h}}}\n");
  boat.must({"watch", "--once"});
  EXPECT_EQ(web.count("/alive"), 0U) << "there is no backup yet";
  boat.must({"backup"});
  const auto well = boat.must({"watch", "--once"});
  EXPECT_EQ(web.count("/alive"), 1U) << well.err;
  EXPECT_NE(well.err.find("all is well"), std::string::npos) << well.err;
  answers = 500;
  const auto refused = boat.must({"watch", "--once"});
  EXPECT_NE(refused.err.find("the heartbeat was not taken: HTTP 500"), std::string::npos)
      << refused.err;
  EXPECT_EQ(refused.err.find("/alive"), std::string::npos) << "the address is a secret";
  answers = 200;
  fs::rename(boat.repository(), boat / "away");
  const auto beats = web.count("/alive");
  EXPECT_NE(boat.run({"watch", "--once"}).err.find("not everything could be looked at"),
            std::string::npos);
  fs::rename(boat / "away", boat.repository());
  EXPECT_EQ(web.count("/alive"), beats);
}

// A decision that waits until its time is over, and nobody drives the run.
TEST_F(AlertsCli, ADecisionThatWaitsTooLongIsTold) {
  boat.must({"backup"});
  plan("{files: ./media}",
       "runbooks: {ask: {steps: [{gate: {approve: bob, expires: 1s}}, {run: \"true\"}]}}\n");
  boat.environment()["SUDO_USER"] = "ada";
  EXPECT_EQ(boat.run({"run", "ask", "--no-wait"}).exit_code, 75);
  while (web.count("/hook", "approval late") == 0) boat.run({"status"});
  const auto status = boat.run({"status"});
  EXPECT_NE(status.out.find("waits for the decision of bob since"), std::string::npos)
      << status.out;
  EXPECT_EQ(web.count("/hook", "approval late"), 1U) << web.told();
  boat.must({"abort", "-m", "over"});
  boat.run({"resume", "--no-wait"});
  boat.run({"status"});
  EXPECT_EQ(web.count("/hook", "over: approval late"), 1U) << web.told();
}

// What the law gives is counted from the failure, not from when somebody gets round to it.
TEST_F(AlertsCli, ADeadlineCountsFromTheFailureAndIsTold) {
  boat.write_plan(
      "stores: {media: {files: ./media}}\n"
      "channels: {hook: {webhook: env:HOOK}}\npeople: {boss: {users: boss, via: hook}}\n"
      "alerts: {warning: {on: [review overdue], send: boss}}\n"
      "tasks: {regulator: {review: tell the regulator, by: boss, within: 72h}}\n"
      "runbooks: {main: {steps: [{ask: {failed_at: time}}, {task: regulator}]}}\n");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  boat.must({"answer", "failed_at=2020-01-13T02:14:05Z"});
  boat.must({"resume", "--no-wait"});
  const auto tasks = boat.must({"task", "ls", "--json"}).summary()["tasks"].items();
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0]["due"].string(), "2020-01-16T02:14:05Z");
  EXPECT_EQ(tasks[0]["owner"].string(), "boss");
  EXPECT_EQ(told(), Lines{"boss note warning test: overdue: tell the regulator"});
}

TEST_F(AlertsCli, ARestoreOrAVerifyThatFailsIsTold) {
  boat.must({"backup"});
  const auto aside = boat / "packs";
  fs::copy(boat.repository() + "/p", aside, fs::copy_options::recursive);
  for (const auto& path : files_below(boat.repository() + "/p")) fs::resize_file(path, 100);
  EXPECT_EQ(boat.run({"verify"}).exit_code, 13);
  EXPECT_EQ(told().back(), "bob trigger warning test: verify failed: the repository");
  EXPECT_NE(boat.run({"restore", "media", "--to", boat / "out"}).exit_code, 0);
  EXPECT_EQ(told().back(), "bob trigger warning test: restore failed: media");
  fs::remove_all(boat.repository() + "/p");
  fs::rename(aside, boat.repository() + "/p");
  boat.must({"verify", "--read", "0%"});
  EXPECT_EQ(told().size(), 2U) << "a sample proves nothing";
  boat.must({"verify"});
  EXPECT_EQ(told().back(), "bob resolve info test: over: verify failed: the repository");
  boat.must({"restore", "media", "--to", boat / "out2"});
  EXPECT_EQ(told().back(), "bob resolve info test: over: restore failed: media");
}

// With a server whose files are read where they lie.
class AlertsOfPostgres : public AlertsCli {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->sql("CREATE TABLE t AS SELECT generate_series(1, 5000) AS n");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan(cat("stores: {db: {postgres: env:DB, every: yearly, log: continuous, data: '",
                        server->data(),
                        "'}}\nchannels: {hook: {webhook: env:HOOK}}\npeople: {ada: {via: hook}}\n",
                        "alerts: {critical: {on: [everything], send: ada}}\n"));
  }
  // Of one event: "trigger" or "resolve", in the order in which they came.
  std::vector<std::string> of(const std::string& event) {
    std::vector<std::string> out;
    for (const auto& one : web.all()) {
      const auto json = parse_json(one.body).take();
      if (json["subject"].string().find(cat(": ", event, ": ")) != std::string::npos)
        out.push_back(json["event"].string());
    }
    return out;
  }
  std::unique_ptr<PostgresServer> server;
};

TEST_F(AlertsOfPostgres, ADamagedPageIsTold) {
  server->sql("VACUUM (FREEZE) t");  // or the server would write it once more
  server->sql("CHECKPOINT");
  const auto file = server->data() + "/" + server->value("SELECT pg_relation_filepath('t')");
  auto bytes = read_text(file);
  ASSERT_GT(bytes.size(), 16384U);
  bytes[8192 + 4000] = static_cast<char>(bytes[8192 + 4000] ^ 1);
  write_text(file, bytes);
  EXPECT_EQ(boat.run({"backup"}).exit_code, 3);
  EXPECT_EQ(of("data damaged"), Lines{"trigger"}) << web.told();
  EXPECT_GE(web.count("/hook", "1 page of db"), 1U) << web.told();
  EXPECT_EQ(boat.run({"backup"}).exit_code, 3);
  EXPECT_EQ(of("data damaged"), Lines{"trigger"}) << "people know";
  server->sql("VACUUM FULL t");  // from what is in memory, which is whole
  server->sql("CHECKPOINT");
  boat.must({"backup"});
  EXPECT_EQ(of("data damaged"), (Lines{"trigger", "resolve"})) << web.told();
}

TEST_F(AlertsOfPostgres, AStreamThatCannotGoOnIsToldAndSoIsTheServerThatIsAway) {
  boat.must({"backup"});
  server->stop();
  EXPECT_NE(boat.run({"backup", "db", "--follow"}).exit_code, 0);
  EXPECT_EQ(of("log failing"), Lines{"trigger"}) << web.told();
  EXPECT_NE(boat.run({"backup", "db", "--follow"}).exit_code, 0);
  EXPECT_EQ(of("log failing"), Lines{"trigger"}) << web.told();
  boat.run({"status"});
  boat.run({"status"});
  EXPECT_EQ(of("store unreachable"), Lines{"trigger"}) << web.told();
  server->start_again();
  auto stream = boat.start({"backup", "db", "--follow"});
  while (stream->alive() && of("log failing").size() < 2) {
    server->sql("SELECT pg_logical_emit_message(true, 'a', 'b')");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(of("log failing"), (Lines{"trigger", "resolve"})) << web.told();
  boat.run({"status"});
  EXPECT_EQ(of("store unreachable"), (Lines{"trigger", "resolve"})) << web.told();
  stream->signal(SIGTERM);
  EXPECT_EQ(stream->wait().exit_code, 0);
}

}  // namespace
}  // namespace lb::test
