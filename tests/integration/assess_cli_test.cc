// Damage of what is live, told before anything is restored: `diff POINT live` and the step assess,
// on a real database and a real tree.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class AssessCli : public testing::Test {
 protected:
  AssessCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->sql("CREATE DATABASE shop");
    sql("CREATE TABLE orders AS SELECT n FROM generate_series(1, 5000) n");
    sql("CREATE TABLE items AS SELECT n FROM generate_series(1, 70) n");
    write_text(boat / "media/a.txt", "one");
    write_text(boat / "media/b.txt", "two");
    write_text(boat / "media/sub/c.txt", "three");
    boat.environment()["DB"] = server->conninfo("shop");
    boat.environment()["LEDGER"] = boat / "ledger";
    boat.environment()["SUDO_USER"] = "ada";
    boat.write_plan(R"(stores:
  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1h}}
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
groups:
  app: {stores: [db, media], authority: db}
targets:
  production: {protect: true}
  copy: {stores: {media: ./copy}}
  sandbox: {isolate: network, folder: ./sandboxes}
checks:
  db: [{tables: [orders]}]
people:
  operator: {users: [ada]}
drills:
  loss: {every: monthly, runbook: loss, into: sandbox, checks: [db], objective: {rto: 1h}}
runbooks:
  look:
    steps:
      - assess: {group: app}
      - {run: "echo \"$damage\" >> $LEDGER"}
  loss:
    steps:
      - assess: {store: db}
      - restore: {store: db, to: production}
      - {run: "echo \"$damage\" >> $LEDGER"}
  chosen:
    parameters: {when: time}
    steps:
      - choose: {store: media, before: $when}
      - assess: {store: media}
  elsewhere:
    steps:
      - assess: {store: media, against: copy}
)");
    boat.must({"init"});
  }
  void sql(const std::string& text) { server->sql(text, "shop"); }
  // What `diff` printed, and the line that sums it up.
  Ran diff(const std::string& store) { return boat.run({"diff", store, "live"}); }
  Json step(std::size_t number) {
    return boat.must({"run", "show", "--json"}).lines().back()["steps"].items().at(number - 1);
  }
  // Of the step: what its end wrote into the journal.
  std::string journal() {
    return boat.must({"run", "show", "--json"}).lines().back()["events"].dump();
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  // All that was committed is in the repository.
  void wait_until_durable(Running& stream) {
    server->sql("SELECT txid_current()");
    const auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
    ASSERT_TRUE(eventually([&] {
      const auto text = stream.err_so_far();
      const std::string word = "durable to ";
      const auto from = text.rfind(word);
      if (from == std::string::npos) return false;
      const auto begin = from + word.size();
      const auto durable = text.substr(begin, text.find_first_of(",\n", begin) - begin);
      return server->value("SELECT '" + durable + "'::pg_lsn >= '" + lsn + "'::pg_lsn") == "t";
    })) << stream.err_so_far();
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(AssessCli, FilesThatAreMissingChangedAndExtraAreListed) {
  boat.must({"backup", "media"});
  auto same = diff("media");
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_EQ(same.out, "");
  EXPECT_NE(same.err.find("0 missing, 0 changed, 0 extra"), std::string::npos) << same.err;
  fs::remove(boat / "media/sub/c.txt");
  write_text(boat / "media/a.txt", "ONE");
  write_text(boat / "media/ransom.txt", "pay");
  auto before = tree_of(boat / "media");
  auto ran = diff("media");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "M a.txt\n+ ransom.txt\n- sub/c.txt\n");
  EXPECT_NE(ran.err.find("1 missing (5 B), 1 changed (3 B), 1 extra (3 B)"), std::string::npos)
      << ran.err;
  auto json = boat.must({"diff", "media", "live", "--json"});
  EXPECT_EQ(json.lines()[0]["change"].string(), "content");
  EXPECT_EQ(json.summary()["damage"]["removed"].integer(), 1);
  EXPECT_EQ(json.summary()["after"].string(), "live");
  EXPECT_EQ(tree_of(boat / "media"), before) << "it only looks";
  fs::remove_all(boat / "media");
  ran = diff("media");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("the folder is not there, 5 missing"), std::string::npos) << ran.err;
}

TEST_F(AssessCli, TablesThatAreMissingHoldFewerRowsOrCameAreListedWithTheAccident) {
  boat.must({"backup", "db"});
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  ASSERT_TRUE(
      eventually([&] { return stream->err_so_far().find("durable to ") != std::string::npos; }));
  sql("DELETE FROM orders WHERE n > 1000");
  sql("DROP TABLE items");
  sql("CREATE TABLE ransom AS SELECT 'pay' AS note");
  wait_until_durable(*stream);
  auto ran = diff("db");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("- shop public.items  (70 rows at the point)\n"
                         "< shop public.orders  (5,000 rows at the point, 1,000 now)\n"
                         "+ shop public.ransom"),
            0u)
      << ran.out;
  EXPECT_NE(ran.out.find("deleted 4,000 rows of shop public.orders"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("1 table is missing, 1 table has fewer rows, 1 table is extra "
                         "(4,070 rows less); at "),
            std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find("deleted 4,000 rows of shop public.orders"), std::string::npos) << ran.err;
  auto summary = boat.must({"diff", "db", "live", "--json"}).summary();
  EXPECT_EQ(summary["damage"]["rows_missing"].integer(), 4070);
  EXPECT_EQ(summary["damage"]["log"]["suspicious"].items().size(), 2u) << summary.dump();
  EXPECT_EQ(server->value("SELECT count(*) FROM orders", "shop"), "1000") << "it only looks";
}

TEST_F(AssessCli, WhatCannotBeComparedSaysWhy) {
  boat.must({"backup"});
  server->stop();
  auto down = diff("db");
  EXPECT_EQ(down.exit_code, 20) << down.err;
  EXPECT_NE(down.err.find("with live db"), std::string::npos) << down.err;
  auto none = diff("nothing");
  EXPECT_EQ(none.exit_code, 14) << none.err;
}

TEST_F(AssessCli, AStepTellsTheDamageOfAGroupAndTheRunGoesOn) {
  boat.must({"backup"});
  sql("DROP TABLE items");
  fs::remove(boat / "media/b.txt");
  boat.must({"run", "look"});
  EXPECT_EQ(step(1)["state"].string(), "done");
  auto text = step(1)["text"].string();
  EXPECT_EQ(text.find("db: 1 table is missing (70 rows less); "), 0u) << text;
  EXPECT_NE(text.find("; media: 1 missing (3 B), 0 changed, 0 extra (point "), std::string::npos)
      << text;
  EXPECT_EQ(read_text(boat / "ledger"), text + "\n") << "$damage";
  EXPECT_NE(journal().find("- shop public.items  (70 rows at the point)"), std::string::npos);
  EXPECT_NE(journal().find("- b.txt"), std::string::npos);
}

// A backup that ran after the accident holds the damage: it is measured against the point chosen.
TEST_F(AssessCli, ThePointChosenBeforeIsTheMeasure) {
  boat.must({"backup", "media"});
  const auto good = boat.must({"ls", "--json"}).summary()["points"].items().at(0);
  const auto id = good["id"].string();
  fs::remove(boat / "media/b.txt");
  boat.must({"backup", "media"});
  const auto newest = boat.must({"diff", "media", "live"}).err;
  EXPECT_NE(newest.find("0 missing"), std::string::npos) << newest;
  boat.must({"run", "chosen", "when=" + good["taken"].string()});
  auto text = step(2)["text"].string();
  EXPECT_EQ(text.find("media: 1 missing"), 0u) << text;
  EXPECT_NE(text.find("(point " + id), std::string::npos) << text;
  EXPECT_NE(journal().find("\"pinned\":{\"media\":\"" + id + "\"}"), std::string::npos)
      << journal();
}

TEST_F(AssessCli, NoDamageIsToldAsNoOnceTheLogTellsTheSame) {
  boat.must({"backup"});
  sql("INSERT INTO orders VALUES (6000)");
  boat.must({"run", "look"});
  EXPECT_EQ(read_text(boat / "ledger"), step(1)["text"].string() + "\n")
      << "counts alone do not show what was changed";
  EXPECT_NE(step(1)["text"].string().find("no commit since is in the log"), std::string::npos);
  fs::remove(boat / "ledger");
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  wait_until_durable(*stream);
  boat.must({"run", "look"});
  EXPECT_NE(step(1)["text"].string().find("db: 1 table has more rows (point "), std::string::npos);
  EXPECT_EQ(read_text(boat / "ledger"), "no\n") << "more rows are no damage";
}

TEST_F(AssessCli, AStoreThatCannotBeReachedIsLeftToAPersonAndTheOthersAreTold) {
  boat.must({"backup"});
  fs::remove(boat / "media/b.txt");
  server->stop();
  EXPECT_EQ(boat.run({"run", "look", "--no-wait"}).exit_code, 75);
  EXPECT_EQ(step(1)["state"].string(), "failed");
  auto text = step(1)["text"].string();
  EXPECT_EQ(text.find("db: could not be looked at: "), 0u) << text;
  EXPECT_NE(text.find("media: 1 missing"), std::string::npos) << text;
  server->start_again();
  boat.must({"step", "retry"});
  boat.must({"resume"});
  EXPECT_EQ(step(1)["state"].string(), "done");
}

TEST_F(AssessCli, AnotherTargetCanBeLookedAt) {
  boat.must({"backup"});
  write_text(boat / "copy/a.txt", "one");
  fs::remove_all(boat / "media");
  boat.must({"run", "elsewhere"});
  auto text = step(1)["text"].string();
  EXPECT_EQ(text.find("media: 3 missing"), 0u) << text;
}

TEST_F(AssessCli, ADrillLooksAtNothingLiveAndSaysSo) {
  boat.must({"backup"});
  auto ran = boat.run({"drill", "loss", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err << ran.out;
  auto drilled = ran.summary()["record"]["steps"].items().at(0);
  EXPECT_EQ(drilled["state"].string(), "held");
  EXPECT_NE(drilled["text"].string().find("a drill does not"), std::string::npos);
  auto test = boat.run({"runbook", "test", "look"});
  EXPECT_EQ(test.exit_code, 0) << test.out;
}

}  // namespace
}  // namespace lb::test
