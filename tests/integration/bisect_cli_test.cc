// The last clean moment, found by the real program: files that were encrypted, rows that were
// changed by one transaction among many; what is no clean cut, nothing clean at all, a step of a
// run that is killed while it looks.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/random.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::string noise(std::uint64_t seed) {
  return std::string(text_of(seeded_random(seed)->bytes(9000)));
}

std::string letter(int number) {
  std::string out;
  for (int line = 0; line < 200; ++line)
    out += cat("Letter ", number, ", line ", line, ": all is well.\n");
  return out;
}

class BisectCli : public testing::Test {
 protected:
  BisectCli() : boat(LIFEBOAT_BINARY) {}
  Json bisect(int expected_exit, Words words) {
    words.insert(words.begin(), "bisect");
    words.emplace_back("--json");
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, expected_exit) << ran.out << ran.err;
    expect_nothing_left();
    if (ran.out.empty()) return {};
    EXPECT_EQ(ran.summary()["ok"].boolean(), expected_exit == 0);
    return ran.summary()["record"];
  }
  void expect_nothing_left() {
    EXPECT_TRUE(processes_with(boat.folder() + "/sandboxes").empty());
    if (!fs::exists(boat / "sandboxes")) return;
    for (const auto& entry : fs::recursive_directory_iterator(boat / "sandboxes"))
      ADD_FAILURE() << "left behind: " << entry.path();
  }
  std::vector<std::string> points_of(const std::string& store) {
    std::vector<std::string> out;
    const auto all = boat.must({"ls", store, "--json"}).summary();
    for (const auto& point : all["points"].items()) out.push_back(point["id"].string());
    std::sort(out.begin(), out.end());  // ids sort by time
    return out;
  }
  static std::string point_of(const Json& probe) {
    return probe["stores"].items().at(0)["point"].string();
  }

  Lifeboat boat;
};

class BisectFiles : public BisectCli {
 protected:
  void SetUp() override {
    for (int i = 0; i < 12; ++i) write_text(boat / cat("media/letter", i, ".txt"), letter(i));
    boat.write_plan(R"(stores:
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
targets:
  sandbox: {isolate: network, folder: ./sandboxes}
  production: {protect: true}
checks:
  tree:
    - {name: twelve files, files: {count: 12}}
    - http: GET /
  more:
    - {name: thirteen files, files: {count: 13}}
  noise:
    - entropy: all
  count:
    - {name: exactly twelve, files: {count: 12}}
  web:
    - http: GET /
people: {operator: {users: [ada]}}
drills:
  ransom: {every: monthly, runbook: ransom, into: sandbox, checks: [count]}
  noise: {every: monthly, restore: media, into: sandbox, checks: [noise]}
runbooks:
  ransom:
    steps:
      - bisect: {store: media, check: entropy}
      - restore: {store: media, to: production, at: $clean}
  prefer:
    steps:
      - choose: {store: media, prefer: clean}
)");
    boat.must({"init"});
  }
  void encrypt(int letters) {
    for (int i = 0; i < letters; ++i)
      write_text(boat / cat("media/letter", i, ".txt"), noise(static_cast<std::uint64_t>(i)));
  }
  void back_up(int times) {
    for (int i = 0; i < times; ++i) {
      write_text(boat / "media/letter11.txt", letter(100 + made_++));
      boat.must({"backup"});
    }
  }
  // Four good points, then three with half of the letters encrypted.
  void encrypted_after_four() {
    back_up(4);
    good_ = tree_of(boat / "media");
    encrypt(6);
    back_up(3);
  }

  int made_ = 0;
  std::map<std::string, std::string> good_;
};

TEST_F(BisectFiles, FindsThePointBeforeTheFilesWereEncrypted) {
  encrypted_after_four();
  auto record = bisect(0, {"media", "--check", "entropy"});
  auto points = points_of("media");
  ASSERT_EQ(points.size(), 7u);
  EXPECT_EQ(point_of(record["clean"]), points[3]) << record.dump();
  EXPECT_EQ(point_of(record["first_bad"]), points[4]);
  EXPECT_TRUE(record["narrowed"].boolean());
  EXPECT_LE(record["probes"].items().size(), 6u);
  EXPECT_TRUE(record["warnings"].items().empty()) << record.dump();
  EXPECT_NE(record["first_bad"]["reason"].string().find("50.0 % of media looks encrypted"),
            std::string::npos)
      << record.dump();
  boat.must({"restore", "media", "--to", boat / "back", "--at", record["clean_words"].string()});
  EXPECT_EQ(tree_of(boat / "back"), good_) << "its words bring back what was probed";
}

TEST_F(BisectFiles, SaysWhatItLeftOutAndRefusesACheckThatSaysNothing) {
  back_up(2);
  auto record = bisect(0, {"media", "--check", "tree"});
  EXPECT_EQ(point_of(record["clean"]), points_of("media").back());
  EXPECT_TRUE(record["first_bad"].is_null());
  EXPECT_NE(record["warnings"].dump().find("asks a service"), std::string::npos);
  EXPECT_EQ(record["probes"].items().size(), 1u);
  for (const auto& words : std::vector<Words>{{"media", "--check", "web"},
                                              {"media", "--check", "nothing"},
                                              {"media"},
                                              {"nobody", "--check", "tree"},
                                              {"media", "--check", "tree", "--probes", "0"}})
    EXPECT_TRUE(bisect(2, words).is_null());
}

TEST_F(BisectFiles, NothingCleanIsNoSuccess) {
  encrypt(12);
  for (int i = 0; i < 3; ++i) {
    write_text(boat / "media/more.bin", noise(static_cast<std::uint64_t>(50 + i)));
    boat.must({"backup"});
  }
  auto record = bisect(4, {"media", "--check", "entropy"});
  EXPECT_TRUE(record["clean"].is_null());
  EXPECT_EQ(record["clean_words"].string(), "");
  EXPECT_NE(record["reason"].string().find("nothing clean was found"), std::string::npos);
  EXPECT_GE(record["probes"].items().size(), 2u);
}

TEST_F(BisectFiles, ACheckThatIsBadBeforeItIsGoodIsSaidToBeNoGuide) {
  fs::remove(boat / "media/letter0.txt");
  back_up(2);  // eleven files
  write_text(boat / "media/letter0.txt", letter(0));
  back_up(1);
  write_text(boat / "media/one-more.txt", letter(13));
  back_up(1);
  auto record = bisect(0, {"media", "--check", "twelve files"});
  EXPECT_EQ(point_of(record["clean"]), points_of("media")[2]) << record.dump();
  EXPECT_NE(record["warnings"].dump().find("does not tell a time before from a time after"),
            std::string::npos)
      << record.dump();
}

TEST_F(BisectFiles, WhatCannotBeDecidedIsNeitherCleanNorBad) {
  auto plan = read_text(boat / "lifeboat.yaml");
  write_text(boat / "lifeboat.yaml",
             replace_all(plan, "  web:\n", "  docs: [{entropy: [docs], store: media}]\n  web:\n"));
  back_up(2);  // without the folder that the check looks into
  auto record = bisect(4, {"media", "--check", "docs"});
  EXPECT_TRUE(record["clean"].is_null());
  EXPECT_TRUE(record["first_bad"].is_null());
  EXPECT_NE(record["reason"].string().find("2 could not be decided"), std::string::npos)
      << record.dump();
  write_text(boat / "media/docs/a.txt", "");  // of which nothing can be said
  back_up(1);
  record = bisect(4, {"media", "--check", "docs"});
  EXPECT_TRUE(record["first_bad"].is_null()) << "nothing examined is not bad: " << record.dump();
  write_text(boat / "media/docs/a.txt", letter(1));
  back_up(1);
  record = bisect(0, {"media", "--check", "docs"});
  EXPECT_EQ(point_of(record["clean"]), points_of("media").back());
}

TEST_F(BisectFiles, StopsAtItsBudgetAndSaysSo) {
  encrypted_after_four();
  auto record = bisect(4, {"media", "--check", "entropy", "--probes", "2"});
  EXPECT_EQ(record["probes"].items().size(), 2u);
  EXPECT_NE(record["warnings"].dump().find("stopped after 2 probes"), std::string::npos);
  auto bad = record["probes"].items().back()["at"].string();
  record = bisect(0, {"media", "--check", "entropy", "--to", bad});
  EXPECT_EQ(record["probes"].items().at(0)["at"].string(), bad) << "nothing newer is tried";
  record = bisect(4, {"media", "--check", "entropy", "--from", bad});
  EXPECT_EQ(record["probes"].items().size(), 2u) << "nothing older is tried";
}

TEST_F(BisectFiles, AStepOfARunGivesItsMomentToTheRestore) {
  encrypted_after_four();
  boat.environment()["SUDO_USER"] = "ada";
  auto began = boat.run({"run", "ransom", "--no-wait"});
  EXPECT_EQ(began.exit_code, 75) << began.err;
  boat.must({"step", "confirm", "production"});
  boat.must({"resume", "--no-wait"});
  for (const auto& [path, content] : good_) EXPECT_EQ(tree_of(boat / "media")[path], content);
  expect_nothing_left();
}

TEST_F(BisectFiles, ADrillHoldsTheStepAndGoesOnWithItsOwnPoint) {
  back_up(1);
  auto ran = boat.run({"drill", "ransom", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  auto steps = ran.summary()["record"]["steps"].items();
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0]["state"].string(), "held") << steps[0].dump();
  EXPECT_EQ(steps[1]["state"].string(), "done") << steps[1].dump();
}

TEST_F(BisectFiles, KilledWhileItLooksItGoesOnWhereItWas) {
  back_up(1);
  encrypt(6);
  back_up(9);
  boat.environment()["SUDO_USER"] = "ada";
  auto running = boat.start({"run", "ransom", "--no-wait"});
  auto at_work = [&] { return running->err_so_far().find("probe 4 of") != std::string::npos; };
  while (running->alive() && !at_work()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ASSERT_TRUE(running->alive()) << running->err_so_far();
  running->signal(SIGKILL);
  running->wait();
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(resumed.exit_code, 75) << resumed.err;
  // Three were made when it was killed, or the fourth as well.
  const auto made = resumed.err.find("going on: ");
  ASSERT_NE(made, std::string::npos) << resumed.err;
  const auto count = std::stoi(resumed.err.substr(made + 10));
  EXPECT_GE(count, 3) << resumed.err;
  for (int n = 1; n <= count; ++n)
    EXPECT_EQ(resumed.err.find(cat("probe ", n, " of")), std::string::npos)
        << "not restored once more";
  auto steps = boat.must({"run", "show", "--json"}).lines().back()["steps"].items();
  EXPECT_NE(steps.at(0)["text"].string().find(points_of("media").front()), std::string::npos)
      << steps.at(0).dump();
  expect_nothing_left();
}

TEST_F(BisectFiles, AChoiceTakesTheNewestMomentFoundClean) {
  encrypted_after_four();
  boat.environment()["SUDO_USER"] = "ada";
  auto none = boat.run({"run", "prefer", "--no-wait"});
  EXPECT_EQ(none.exit_code, 75) << none.err;
  EXPECT_NE(none.err.find("no bisect and no check for encrypted content"), std::string::npos)
      << none.err;
  auto early = points_of("media");
  bisect(0, {"media", "--check", "entropy"});
  boat.must({"step", "retry"});
  boat.must({"resume", "--no-wait"});
  auto steps = boat.must({"run", "show", "--json"}).lines().back()["steps"].items();
  EXPECT_NE(steps.at(0)["text"].string().find(early[3]), std::string::npos) << steps[0].dump();
  // Another check finds bad what this one found clean: then it is clean no longer.
  bisect(4, {"media", "--check", "thirteen files"});
  auto again = boat.run({"run", "prefer", "--no-wait"});
  EXPECT_EQ(again.exit_code, 75) << again.err;
}

TEST_F(BisectFiles, ADrillThatLookedForEncryptedContentVouchesToo) {
  back_up(2);
  boat.must({"drill", "noise"});
  auto proven = points_of("media").back();
  back_up(1);
  boat.environment()["SUDO_USER"] = "ada";
  auto chosen = [&] {
    boat.run({"run", "prefer", "--no-wait"});
    auto steps = boat.must({"run", "show", "--json"}).lines().back()["steps"].items();
    return steps.at(0)["text"].string();
  };
  EXPECT_NE(chosen().find(proven), std::string::npos) << chosen();
  encrypt(12);
  boat.must({"backup"});
  EXPECT_EQ(boat.run({"drill", "noise"}).exit_code, 4);
  EXPECT_NE(chosen().find(proven), std::string::npos) << "one that failed vouches for nothing";
}

class BisectPostgres : public BisectCli {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    PostgresOptions options;
    options.tcp = true;
    options.settings = {{"autovacuum", "off"}};
    server = PostgresServer::start(options);
    server->sql("CREATE TABLE orders (id int PRIMARY KEY, total int)");
    server->sql("INSERT INTO orders SELECT n, n FROM generate_series(1, 3000) n");
    boat.environment()["DB"] = server->conninfo();
    write_text(boat / "media/letter.txt", letter(1));
    boat.write_plan(R"(stores:
  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1s}}
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
groups:
  app: {stores: [db, media], authority: db}
targets:
  sandbox: {isolate: network, folder: ./sandboxes}
people: {operator: {users: [ada]}}
runbooks: {prefer: {steps: [{choose: {group: app, prefer: clean}}]}}
checks:
  data:
    - {name: no debts, sql: SELECT count(*) FROM orders WHERE total < 0, expect: 0}
    - {name: many orders, sql: SELECT count(*) FROM orders, expect: ">= 3000"}
  folder:
    - name: no intruder
      sql: "SELECT count(*) FROM pg_ls_dir('.') f WHERE f = 'intruder'"
      expect: 0
  both:
    - {name: no debts too, sql: SELECT count(*) FROM orders WHERE total < 0, expect: 0}
    - files: {count: 1}
)");
    boat.must({"init"});
    boat.must({"backup", "db"});
    stream = boat.start({"backup", "db", "--follow", "--verbose"});
    wait_for([&] { return stream->err_so_far().find("durable to") != std::string::npos; });
  }
  template <typename Condition>
  static void wait_for(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  void catch_up() {
    auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
    wait_for([&] {
      auto text = stream->err_so_far();
      auto at = text.rfind("durable to ") + 11;
      auto durable = text.substr(at, text.find_first_of(",\n", at) - at);
      return server->value(cat("SELECT '", durable, "'::pg_lsn >= '", lsn, "'::pg_lsn")) == "t";
    });
  }
  void insert(int from, int count) {
    for (int i = 0; i < count; ++i)
      server->sql(cat("INSERT INTO orders VALUES (", from + i, ", 1)"));
  }
  // The transaction that does `what`.
  std::string does(const std::string& what) {
    return server->value(cat("WITH t AS (", what, " RETURNING 1) SELECT txid_current()",
                             " FROM (SELECT count(*) FROM t) c"));
  }
  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<Running> stream;
};

TEST_F(BisectPostgres, FindsTheTransactionAmongCommitsThatNobodySuspects) {
  insert(10'000, 20);
  boat.must({"backup", "db"});
  insert(11'000, 20);
  auto culprit = does("UPDATE orders SET total = -5 WHERE id = 7");
  insert(12'000, 20);
  boat.must({"backup", "db"});
  insert(13'000, 5);
  catch_up();
  auto record = bisect(0, {"db", "--check", "data"});
  auto points = points_of("db");
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(point_of(record["clean"]), points[1]) << record.dump();
  EXPECT_TRUE(record["narrowed"].boolean());
  EXPECT_NE(record["transaction"].string().find(cat("transaction ", culprit, " of ")),
            std::string::npos)
      << record["transaction"].string() << " is not " << culprit << "\n"
      << record.dump();
  EXPECT_EQ(record["first_bad"]["stores"].items().at(0)["point"].string(), points[1]);
  EXPECT_LE(record["probes"].items().size(), 12u);
  EXPECT_TRUE(record["warnings"].items().empty()) << record["warnings"].dump();
  auto lsn = record["clean"]["stores"].items().at(0)["lsn"].string();
  EXPECT_FALSE(lsn.empty());
  auto before = bisect(0, {"db", "--check", "data", "--to", record["clean"]["at"].string()});
  EXPECT_TRUE(before["first_bad"].is_null()) << "nothing newer is tried: " << before.dump();
  EXPECT_EQ(before["clean"]["stores"].items().at(0)["lsn"].string(), lsn);
}

TEST_F(BisectPostgres, TriesWhatLooksLikeAnAccidentFirst) {
  insert(10'000, 30);
  auto culprit = does("DELETE FROM orders WHERE id <= 2500");
  server->sql("SELECT pg_switch_wal()");  // who did much is known of whole segments
  insert(11'000, 30);
  catch_up();
  auto record = bisect(0, {"db", "--check", "many orders"});
  EXPECT_NE(record["transaction"].string().find(cat("transaction ", culprit, " of ")),
            std::string::npos)
      << record.dump();
  EXPECT_NE(record["transaction"].string().find("deleted 2,500 rows of"), std::string::npos)
      << record["transaction"].string();
  EXPECT_LE(record["probes"].items().size(), 4u) << "its end, the point, before and after it";
  // What is said to be clean is all that was committed before it.
  auto words = record["clean_words"].string();
  boat.must({"restore", "db", "--to", boat / "copy", "--at", words});
  EXPECT_EQ(ask_restored(boat / "copy", "SELECT count(*) FROM orders"), "3030");
}

TEST_F(BisectPostgres, WhatNoTransactionDidIsSaidToBeSo) {
  insert(10'000, 3);
  // In the folder of the database, and in no log.
  write_text(server->data() + "/intruder", "was here");
  boat.must({"backup", "db"});
  catch_up();
  auto record = bisect(0, {"db", "--check", "no intruder"});
  EXPECT_EQ(point_of(record["clean"]), points_of("db").front()) << record.dump();
  EXPECT_EQ(record["transaction"].string(), "");
  EXPECT_FALSE(record["narrowed"].boolean());
  EXPECT_NE(record["warnings"].dump().find("came not by a transaction"), std::string::npos)
      << record.dump();
}

TEST_F(BisectPostgres, AGroupIsProbedTogether) {
  boat.must({"backup"});
  boat.must({"backup"});
  catch_up();
  auto good = points_of("media").back();
  server->sql("UPDATE orders SET total = -1 WHERE id = 9");
  catch_up();
  boat.must({"backup"});
  auto bad = points_of("media").back();
  boat.must({"backup"});
  insert(10'000, 1);  // the log goes on beyond the files
  catch_up();
  auto record = bisect(0, {"app", "--check", "both"});
  ASSERT_EQ(record["first_bad"]["stores"].items().size(), 2u) << record.dump();
  EXPECT_EQ(record["first_bad"]["stores"].items().at(1)["point"].string(), bad) << record.dump();
  EXPECT_EQ(record["subject"].string(), "group app");
  ASSERT_EQ(record["clean"]["stores"].items().size(), 2u);
  EXPECT_EQ(record["clean"]["stores"].items().at(1)["point"].string(), good) << record.dump();
  EXPECT_EQ(record["clean_words"].string(), record["clean"]["at"].string());
  boat.environment()["SUDO_USER"] = "ada";
  boat.must({"run", "prefer", "--no-wait"});
  auto chosen = boat.must({"run", "show", "--json"}).lines().back()["steps"].items();
  for (const auto& store : record["clean"]["stores"].items())
    EXPECT_NE(chosen.at(0)["text"].string().find(store["point"].string()), std::string::npos)
        << chosen.at(0).dump();
}

}  // namespace
}  // namespace lb::test
