// Drills of the real program: what passes, what fails, what cannot be decided, and that nothing is
// left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/small_disk.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_service =
    "exec /usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 --directory "
    "\\\"$LIFEBOAT_MEDIA_PATH\\\"";

struct PlanParts {
  std::string service = file_service;
  std::string extra_check = {};
  std::string rpo = "1h";
  std::string folder = "./sandboxes";
  std::string environment = "MODE: drill";
};

class DrillCli : public testing::Test {
 protected:
  DrillCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
    server->sql("CREATE TABLE pictures (key text PRIMARY KEY, owner int REFERENCES people (id))");
    server->sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 100) n");
    for (int i = 1; i <= 20; ++i) {
      auto key = "pictures/" + std::to_string(i) + ".txt";
      write_text(boat / ("media/" + key), "picture " + std::to_string(i));
      server->sql("INSERT INTO pictures VALUES ('" + key + "', " + std::to_string(i) + ")");
    }
    boat.environment()["DB"] = server->conninfo();
    write_plan({});
    boat.must({"init"});
    boat.must({"backup"});
  }
  void write_plan(const PlanParts& parts) {
    boat.write_plan(
        "stores:\n"
        "  db: {postgres: env:DB, every: hourly, objective: {rpo: " +
        parts.rpo +
        "}}\n"
        "  media: {files: ./media, every: hourly, objective: {rpo: " +
        parts.rpo +
        "}}\n"
        "groups:\n  app: {stores: [db, media], authority: db}\n"
        "targets:\n"
        "  sandbox: {isolate: network, folder: " +
        parts.folder + ", url: \"http://127.0.0.1:8000\", start: {web: \"" + parts.service +
        "\"}, environment: {" + parts.environment +
        "}}\n"
        "checks:\n"
        "  data:\n"
        "    - tables: [people, pictures]\n"
        "    - count: [people, pictures]\n"
        "      expect: recorded\n"
        "    - foreign_keys: all\n"
        "    - files: {in: [pictures], count: recorded, hashes: recorded}\n"
        "    - references: {from: {store: db, sql: SELECT key FROM pictures}, to: media, missing: "
        "0}\n" +
        parts.extra_check +
        "  web:\n"
        "    - http: GET /pictures/7.txt\n"
        "      expect: {status: 200, text: picture 7}\n"
        "drills:\n"
        "  full: {every: quarterly, restore: app, into: sandbox, checks: [data, web], objective: "
        "{rto: 1h}}\n");
  }
  Json drill(int expected_exit, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"drill", "full", "--json", "--out", boat / "report"};
    words.insert(words.end(), more.begin(), more.end());
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, expected_exit) << ran.out << ran.err;
    return ran.summary();
  }
  void expect_nothing_left() {
    EXPECT_TRUE(processes_with(boat.folder() + "/sandboxes").empty());
    if (fs::exists(boat / "sandboxes")) {
      for (const auto& entry : fs::recursive_directory_iterator(boat / "sandboxes")) {
        ADD_FAILURE() << "left behind: " << entry.path();
      }
    }
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(DrillCli, ProvesTheRecoveryAndLeavesNothing) {
  auto before = tree_of(boat / "media");
  auto summary = drill(0);
  EXPECT_EQ(summary["verdict"].string(), "PASS");
  const auto& record = summary["record"];
  ASSERT_EQ(record["checks"].items().size(), 6u);
  for (const auto& check : record["checks"].items()) {
    EXPECT_EQ(check["state"].string(), "pass") << check.dump();
    EXPECT_GT(check["examined"].integer(), 0) << check.dump();
  }
  ASSERT_EQ(record["stores"].items().size(), 2u);
  for (const auto& store : record["stores"].items()) EXPECT_GT(store["bytes"].integer(), 0);
  for (const char* name : {"report.json", "report.html", "report.md"}) {
    EXPECT_NE(read_text(boat / (std::string("report/") + name)).find("PASS"), std::string::npos)
        << name;
  }
  EXPECT_EQ(boat.must({"report", "full"}).out.find("PASS") == std::string::npos, false);
  EXPECT_NE(boat.must({"drill", "ls"}).out.find("PASS"), std::string::npos);
  EXPECT_NE(boat.must({"info"}).out.find("last proven"), std::string::npos);
  EXPECT_EQ(tree_of(boat / "media"), before) << "production is untouched";
  EXPECT_EQ(server->value("SELECT count(*) FROM people"), "100");
  expect_nothing_left();
}

// Checked as an auditor would, without the program; and with it, by the public key alone.
TEST_F(DrillCli, ItsEvidenceIsSignedAndCheckedByOthersToo) {
  auto plan = read_text(boat / "lifeboat.yaml");
  write_text(boat / "lifeboat.yaml", plan + "evidence: {sign: \"file:./evidence.key\"}\n");
  EXPECT_NE(boat.run({"drill", "full"}).exit_code, 0) << "without the key it does not begin";
  EXPECT_EQ(boat.must({"drill", "ls", "--json"}).out.find("PASS"), std::string::npos);
  auto key = boat.must({"person", "key", boat / "evidence.key"}).out.substr(5, 64);
  drill(0);
  auto shell = [&](const std::string& command) {
    return ::system(("cd " + (boat / "report") + " && " + command + " > told 2>&1").c_str());
  };
  const std::string openssl =
      "openssl pkeyutl -verify -pubin -inkey evidence.pem -rawin -sigfile evidence.sig -in ";
  EXPECT_EQ(shell(openssl + "evidence.json"), 0) << read_text(boat / "report/told");
  EXPECT_NE(shell(openssl + "report.json"), 0);
  EXPECT_EQ(shell("grep -q $(sha256sum < report.json | cut -c1-64) evidence.json"), 0);
  auto good = boat.must({"evidence", "verify"}).out;
  EXPECT_NE(good.find("PASS, signed"), std::string::npos) << good;
  EXPECT_NE(good.find(key), std::string::npos) << good;
  write_text(boat / "lifeboat.yaml", plan);
  boat.must({"evidence", "verify", "--key", key});
  EXPECT_EQ(boat.run({"evidence", "verify"}).exit_code, 2) << "whose key?";
  EXPECT_EQ(boat.run({"evidence", "verify", "--key", std::string(64, '0')}).exit_code, 4);
  boat.must({"report", "full", "-o", boat / "again"});
  EXPECT_EQ(read_text(boat / "again/evidence.json"), read_text(boat / "report/evidence.json"));
  EXPECT_EQ(read_text(boat / "again/report.json"), read_text(boat / "report/report.json"));
  // A drill that nobody signed is said once others are.
  drill(0);
  EXPECT_EQ(boat.run({"evidence", "verify", "--key", key}).exit_code, 4);
}

TEST_F(DrillCli, AFailedCheckFailsTheDrill) {
  write_plan({.extra_check = "    - sql: SELECT count(*) FROM people\n      expect: 99\n"});
  EXPECT_EQ(drill(4)["verdict"].string(), "FAIL");
  expect_nothing_left();
}

TEST_F(DrillCli, ACheckThatCannotRunIsNeverAPass) {
  write_plan({.extra_check = "    - sql: SELECT no_such_column FROM people\n      expect: 0\n"});
  EXPECT_EQ(drill(1)["verdict"].string(), "INCONCLUSIVE");
}

TEST_F(DrillCli, WhatIsRestoredAcceptsConnectionsAndItsLogIsRead) {
  const std::string connects =
      "    - connect: db\n    - connect: media\n    - connect: web\n"
      "    - connect: \"tcp://127.0.0.1:8000\"\n";
  write_plan({.extra_check = connects + "    - logs: web\n      warnings: 0\n"});
  auto summary = drill(0);
  ASSERT_EQ(summary["record"]["checks"].items().size(), 11u);
  for (const auto& check : summary["record"]["checks"].items())
    EXPECT_EQ(check["state"].string(), "pass") << check.dump();

  // What it was given is known to be a secret, whatever it calls it.
  boat.environment()["WEB_KEY"] = "hunter2-hunter2";
  write_plan({.service = std::string("echo ERROR: $KEY is refused; ") + file_service,
              .extra_check = "    - logs: web\n",
              .environment = "KEY: env:WEB_KEY"});
  auto told = drill(4).dump();
  EXPECT_NE(told.find("line 1: ERROR: [secret] is refused"), std::string::npos) << told;
  EXPECT_EQ(told.find("hunter2"), std::string::npos);

  write_plan({.extra_check = "    - connect: \"tcp://127.0.0.1:8001\"\n"});
  auto refused = drill(4).dump();
  EXPECT_NE(refused.find("tcp://127.0.0.1:8001 accepts no connection"), std::string::npos)
      << refused;
  expect_nothing_left();
}

TEST_F(DrillCli, AMissingFileIsNoticed) {
  server->sql("INSERT INTO pictures VALUES ('pictures/never-written.txt', 1)");
  boat.must({"backup"});
  auto summary = drill(4);
  EXPECT_NE(summary.dump().find("pictures/never-written.txt"), std::string::npos)
      << "the missing key is evidence";
}

TEST_F(DrillCli, AServiceThatEndsFailsAndOneThatIsMissingIsInconclusive) {
  write_plan({.service = "echo cannot serve today; exit 3"});
  auto failed = drill(4);
  EXPECT_NE(failed["reason"].string().find("cannot serve today"), std::string::npos)
      << failed["reason"].string();
  write_plan({.service = "no-such-program"});
  auto lacking = drill(1);
  EXPECT_EQ(lacking["verdict"].string(), "INCONCLUSIVE");
  expect_nothing_left();
}

TEST_F(DrillCli, OutboundAttemptsAreBlockedAndCounted) {
  write_text(boat / "calls_home.sh",
             "/usr/bin/python3 -c \"import socket; socket.create_connection(('10.9.8.7', 443), "
             "2)\" 2>/dev/null\n"
             "exec /usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 --directory "
             "\"$LIFEBOAT_MEDIA_PATH\"\n");
  fs::permissions(boat / "calls_home.sh", fs::perms(0755));
  write_plan({.service = "sh calls_home.sh"});
  auto record = drill(0)["record"];
  EXPECT_GE(record["isolation"]["blocked_count"].integer(), 1) << record["isolation"].dump();
  EXPECT_NE(record["isolation"].dump().find("10.9.8.7"), std::string::npos)
      << record["isolation"].dump();
}

TEST_F(DrillCli, AMissedObjectiveFails) {
  write_plan({.rpo = "1s"});
  auto summary = drill(4, {"--lost-at", "2099-01-01T00:00:00Z"});
  EXPECT_NE(summary["reason"].string().find("RPO"), std::string::npos)
      << summary["reason"].string();
}

TEST_F(DrillCli, ADamagedBackupFailsAndIsNotRestoredAsGood) {
  std::string largest;
  for (const auto& path : files_below(boat.repository() + "/p")) {
    if (largest.empty() || fs::file_size(path) > fs::file_size(largest)) largest = path;
  }
  fs::remove(largest);
  auto summary = drill(4);
  EXPECT_EQ(summary["verdict"].string(), "FAIL");
  expect_nothing_left();
}

TEST_F(DrillCli, AFullSandboxIsInconclusive) {
  SmallDisk small(boat / "sandboxes", "6m");
  if (!small.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  auto ran = boat.run({"drill", "full", "--json"});
  EXPECT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_EQ(ran.summary()["verdict"].string(), "INCONCLUSIVE");
  EXPECT_NE(ran.summary()["reason"].string().find("need"), std::string::npos)
      << "predicted, not run into";
}

TEST_F(DrillCli, AKilledDrillTakesEverythingWithItAndTheNextOneSweeps) {
  for (int i = 0; i < 6; ++i) {
    auto running = boat.start({"drill", "full"});
    ::usleep(static_cast<useconds_t>(150000 + i * 250000));
    running->signal(SIGKILL);
    running->wait();
    while (!processes_with(boat.folder() + "/sandboxes").empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    boat.must({"verify"});
  }
  drill(0);
  expect_nothing_left();
}

}  // namespace
}  // namespace lb::test
