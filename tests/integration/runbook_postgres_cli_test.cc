// One runbook over a database and a file tree: in a drill, and in earnest, where the live database
// is exchanged for the restored one and put back again.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/postgres_service.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class RunbookPostgresCli : public testing::Test {
 protected:
  RunbookPostgresCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    server->sql("CREATE DATABASE shop");
    sql("CREATE TABLE orders (id int PRIMARY KEY, at timestamptz DEFAULT now())");
    sql("INSERT INTO orders SELECT n FROM generate_series(1, 500) n");
    write_text(boat / "media/a.txt", "one");
    boat.environment()["DB"] = server->conninfo("shop");
    boat.environment()["LEDGER"] = boat / "ledger";
    boat.write_plan(R"(stores:
  db: {postgres: env:DB, every: hourly, objective: {rpo: 1h}}
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
groups:
  app: {stores: [db, media], authority: db}
targets:
  production: {protect: true}
  sandbox: {isolate: network, folder: ./sandboxes}
checks:
  db:
    - tables: [orders]
    - {name: orders are there, sql: SELECT count(*) FROM orders, expect: 500}
drills:
  loss: {every: monthly, runbook: db-loss, into: sandbox, checks: [db], objective: {rto: 1h}}
people:
  lead: {users: [boss]}
runbooks:
  db-loss:
    objective: {rto: 4h}
    steps:
      - phase: Before
      - ask: {failed_component: text}
      - choose: {store: db}
      - {run: "echo stop >> $LEDGER", undo: "echo start >> $LEDGER", probe: "grep -q stop $LEDGER"}
      - gate: {approve: lead, show: [point, data_loss]}
      - phase: Restore
      - restore: {store: db, to: production, at: $point, how: beside-then-swap, keep_old: 7d}
      - verify: [db]
      - checklist: [customers told]
  beside:
    steps:
      - restore: {store: db, to: production, how: beside}
      - verify: [db]
)");
    boat.must({"init"});
    boat.must({"backup"});
  }
  void sql(const std::string& text) { server->sql(text, "shop"); }
  std::string ask(const std::string& text) { return server->value(text, "shop"); }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  Json shown() {
    auto ran = boat.run({"run", "show", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? ran.lines().back() : Json();
  }
  std::string state_of(std::size_t step) {
    return shown()["steps"].items().at(step - 1)["state"].string();
  }
  void say(const std::vector<std::string>& words) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
  Ran go_on() { return boat.run({"resume", "--no-wait"}); }
  // As far as the restore waits for its name to be typed.
  void up_to_the_restore() {
    as("ada");
    EXPECT_EQ(boat.run({"run", "db-loss", "--no-wait"}).exit_code, 75);
    say({"answer", "failed_component=db"});
    go_on();
    EXPECT_EQ(state_of(4), "asks");
    as("boss");
    say({"approve"});
    as("ada");
    go_on();
    EXPECT_EQ(state_of(5), "asks") << shown().dump();
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_F(RunbookPostgresCli, TheSameRunbookIsDrilledWithoutTouchingAnything) {
  auto ran = boat.run({"drill", "loss", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err << ran.out;
  auto record = ran.summary()["record"];
  EXPECT_EQ(record["verdict"].string(), "PASS");
  EXPECT_EQ(record["runbook"].string(), "db-loss");
  std::map<std::string, std::string> states;
  for (const auto& step : record["steps"].items())
    states[step["title"].string()] = step["state"].string();
  EXPECT_EQ(states["choose db"], "done");
  EXPECT_EQ(states["echo stop >> $LEDGER"], "held");
  EXPECT_EQ(states["decision of lead"], "held");
  EXPECT_EQ(states["restore db to production at $point (beside-then-swap)"], "done");
  EXPECT_EQ(states["verify db"], "done");
  EXPECT_EQ(states["checklist customers told"], "held");
  EXPECT_NE(record["findings"].dump().find("3 of the 7 steps of runbook db-loss were held"),
            std::string::npos)
      << record["findings"].dump();
  EXPECT_FALSE(fs::exists(boat / "ledger")) << "nothing outside the sandbox happened";
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
  auto page = boat.must({"report", "loss", "--format", "html"}).out;
  EXPECT_NE(page.find("Runbook db-loss"), std::string::npos);
}

TEST_F(RunbookPostgresCli, ADrillFailsWhenItsRunbookDoes) {
  sql("DELETE FROM orders WHERE id > 100");
  boat.must({"backup", "db"});
  auto ran = boat.run({"drill", "loss", "--json"});
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_EQ(ran.summary()["record"]["verdict"].string(), "FAIL");
}

// What steps ask and check is what was restored, not what is live; what comes before is held.
TEST_F(RunbookPostgresCli, QueriesAndChecksOfADrillAreOfWhatWasRestored) {
  auto plan = replaced(read_text(boat / "lifeboat.yaml"), "drills:\n",
                       "drills:\n  looks: {every: monthly, runbook: looks, into: sandbox, with: "
                       "{upto: \"10\"}}\n");
  plan += R"(  looks:
    parameters: {upto: number}
    steps:
      - check: orders are there
      - query: {store: db, sql: SELECT count(*) FROM orders, save: left}
      - restore: {store: db, to: production, how: beside-then-swap}
      - query: {store: db, sql: SELECT count(*) FROM orders WHERE id <= $upto, expect: 10}
      - query: {store: db, sql: SELECT $left}
      - check: orders are there
      - watch: {check: orders are there, for: 24h}
      - {run: echo more, when: $left > 5}
)";
  write_text(boat / "lifeboat.yaml", plan);
  sql("DELETE FROM orders");
  auto ran = boat.run({"drill", "looks", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err << ran.out;
  const auto record = ran.summary()["record"];
  const char* states[] = {"held", "held", "done", "done", "held", "done", "done", "held"};
  for (std::size_t n = 0; n < 8; ++n)
    EXPECT_EQ(record["steps"].items().at(n)["state"].string(), states[n]) << n << record.dump();
  EXPECT_EQ(record["steps"].items().at(3)["text"].string(), "the first value is 10, expected 10");
  EXPECT_EQ(record["checks"].items().size(), 1u) << "the last look counts";
  write_text(boat / "lifeboat.yaml", replaced(plan, "expect: 10}", "expect: 11}"));
  EXPECT_EQ(boat.run({"drill", "looks"}).exit_code, 4);
}

TEST_F(RunbookPostgresCli, InEarnestTheDatabaseIsExchangedAndPutBack) {
  sql("DELETE FROM orders WHERE id > 10");
  up_to_the_restore();
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "10");
  say({"step", "confirm", "production"});
  auto ran = go_on();
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  EXPECT_EQ(state_of(5), "done") << ran.err;
  EXPECT_EQ(state_of(6), "done") << ran.err;
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "500");
  say({"step", "undo", "5", "-m", "it was the wrong point"});
  go_on();
  EXPECT_EQ(state_of(5), "undone");
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "10");
  EXPECT_EQ(read_text(boat / "ledger"), "stop\n");
}

TEST_F(RunbookPostgresCli, KilledWhileItExchangesItGoesOnAndNoneIsLost) {
  sql("DELETE FROM orders WHERE id > 10");
  up_to_the_restore();
  say({"step", "confirm", "production"});
  int kills = 0;
  // From moments too short for any machine to ones that are long enough for all.
  for (int delay = 40; delay < 60'000 && state_of(5) != "done"; delay = delay * 3 / 2) {
    auto running = boat.start({"resume", "--no-wait"});
    std::this_thread::sleep_for(milliseconds(delay));
    if (running->alive()) ++kills;
    running->signal(SIGKILL);
    running->wait();
    // Whatever it was doing: the name leads to one whole database, the old or the new.
    auto rows = ask("SELECT count(*) FROM orders");
    EXPECT_TRUE(rows == "10" || rows == "500") << rows;
    if (state_of(5) == "asks") say({"step", "confirm", "production"});
  }
  go_on();
  EXPECT_GE(kills, 2);
  EXPECT_EQ(state_of(5), "done");
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "500");
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "2")
      << "the live one and the one that is kept";
}

// The live one lacks rows: a check that asked it instead of the copy would fail.
TEST_F(RunbookPostgresCli, ACopyBesideTheLiveOneIsWhatIsChecked) {
  sql("DELETE FROM orders WHERE id > 10");
  for (bool uri : {false, true}) {
    boat.environment()["DB"] = uri ? "postgresql://postgres@/shop?host=" + server->socket_folder() +
                                         "&port=" + std::to_string(server->port())
                                   : server->conninfo("shop");
    EXPECT_EQ(boat.run({"run", "beside", "--no-wait"}).exit_code, 75);
    say({"step", "confirm", "production"});
    auto ran = go_on();
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.err.find("db: database shop_restored"), std::string::npos) << ran.err;
    EXPECT_EQ(ask("SELECT count(*) FROM orders"), "10");
    server->sql("DROP DATABASE shop_restored");
  }
}

// The first value decides, and goes on as a variable.
TEST_F(RunbookPostgresCli, AQueryThatDoesNotMeetWhatIsExpectedFails) {
  auto plan = read_text(boat / "lifeboat.yaml");
  plan +=
      "  ask:\n    steps:\n"
      "      - query: {store: db, sql: SELECT count(*) FROM orders, expect: \"> 100\", save: "
      "rows}\n"
      "      - run: echo $rows >> $LEDGER\n"
      "      - query: {store: db, sql: SELECT count(*) FROM orders, expect: 7}\n"
      "  none:\n    steps:\n"
      "      - query: {store: db, sql: SELECT 1 FROM orders WHERE false, expect: \"null\"}\n";
  write_text(boat / "lifeboat.yaml", plan);
  as("ada");
  boat.run({"run", "ask", "--no-wait"});
  EXPECT_EQ(state_of(1), "done") << shown().dump();
  EXPECT_EQ(read_text(boat / "ledger"), "500\n");
  EXPECT_EQ(state_of(3), "failed") << shown().dump();
  EXPECT_NE(shown().dump().find("the first value is 500, expected 7"), std::string::npos)
      << shown().dump();
  say({"abort", "-m", "seen"});
  boat.run({"run", "none", "--no-wait"});
  EXPECT_EQ(state_of(1), "failed") << "no row is no 0, and no null";
}

// What people answer reaches the server as a value, whatever it looks like.
TEST_F(RunbookPostgresCli, AnswersAreValuesOfAQueryAndNeverPartsOfIt) {
  const std::string who = R"=(Bobby'); DROP TABLE orders; --\' $since ${size} $$ E'\' "x" /* ü)=";
  const std::string letter(100'000, '\'');
  sql("ALTER TABLE orders ADD note text");
  sql(cat("UPDATE orders SET note = $q$", who, "$q$ WHERE id = 42"));
  auto plan = read_text(boat / "lifeboat.yaml");
  plan += R"=(  ask:
    steps:
      - ask: {who: text, since: time, letter: text}
      - query: {store: db, sql: SELECT id FROM orders WHERE note = $who AND at > $since, save: id}
      - query: {store: db, sql: "SELECT $id::int + 1", save: next}
      - query: {store: db, sql: "SELECT length($letter)", save: size}
      - run: echo $id $next $size >> $LEDGER
      - query: {store: db, sql: "SELECT count(*) FROM orders WHERE id = $who::int"}
)=";
  write_text(boat / "lifeboat.yaml", plan);
  as("ada");
  boat.run({"run", "ask", "--no-wait"});
  say({"answer", "who=" + who, "since=2020-01-01T00:00:00Z", "letter=" + letter});
  go_on();
  EXPECT_EQ(read_text(boat / "ledger"), "42 43 100000\n") << shown().dump().substr(0, 9000);
  EXPECT_EQ(state_of(6), "failed") << "that is no number, and nothing else was done for it";
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "500");
  write_text(boat / "lifeboat.yaml", replaced(plan, "= $who AND", "= $whom AND"));
  auto checked = boat.run({"plan", "check"});
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_NE(cat(checked.out, checked.err).find("$whom has no value by then"), std::string::npos);
}

// A whole data directory: what is verified after the exchange is the server that serves it
// now, and undo puts the old one back.
TEST_F(RunbookPostgresCli, AWholeClusterIsExchangedVerifiedAndPutBack) {
  server->stop();
  PostgresService service(*server);
  service.want("up");
  auto plan = read_text(boat / "lifeboat.yaml");
  plan = replaced(plan, "postgres: env:DB, every",
                  "postgres: env:DB, data: " + server->data() + ", every");
  plan = replaced(
      plan, "  sandbox: {isolate",
      "  cluster: {protect: true, stores: {db: \"" + server->data() + "\"}}\n  sandbox: {isolate");
  plan +=
      "  cluster-loss:\n    steps:\n      - restore: {store: db, to: cluster, how: "
      "beside-then-swap, stop: '" +
      service.command("down") + "', start: '" + service.command("up") +
      "'}\n      - verify: [db]\n      - manual: look at it\n";
  write_text(boat / "lifeboat.yaml", plan);
  sql("DELETE FROM orders WHERE id > 10");
  as("ada");
  auto ran = boat.run({"run", "cluster-loss", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  say({"step", "confirm", "cluster"});
  ran = go_on();
  ASSERT_EQ(state_of(1), "done") << ran.err;
  EXPECT_EQ(state_of(2), "done") << ran.err;
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "500");
  say({"step", "undo", "1", "-m", "it was the wrong point"});
  ran = go_on();
  EXPECT_EQ(state_of(1), "undone") << ran.err;
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "10");
  service.end();
}

// Production by another name: nothing asks for the name of what is protected, so nothing
// happens.
TEST_F(RunbookPostgresCli, AnotherNameForWhatIsProtectedIsRefused) {
  auto plan = read_text(boat / "lifeboat.yaml");
  boat.environment()["ALIAS"] = server->conninfo("postgres");
  fs::create_directory_symlink(boat / "media", boat / "linked");
  plan = replaced(plan, "  sandbox: {isolate",
                  "  alias: {stores: {db: env:ALIAS, media: ./linked}}\n  sandbox: {isolate");
  plan +=
      "  by-another-name:\n    steps:\n      - restore: {store: db, to: alias}\n"
      "  files-by-another-name:\n    steps:\n      - restore: {store: media, to: alias}\n";
  write_text(boat / "lifeboat.yaml", plan);
  sql("DELETE FROM orders WHERE id > 10");
  write_text(boat / "media/a.txt", "what is live");
  as("ada");
  for (const char* name : {"by-another-name", "files-by-another-name"}) {
    auto ran = boat.run({"run", name, "--no-wait"});
    EXPECT_EQ(ran.exit_code, 75) << ran.err;
    EXPECT_NE(ran.err.find("leads to the place of production, which is protected"),
              std::string::npos)
        << ran.err;
  }
  EXPECT_EQ(ask("SELECT count(*) FROM orders"), "10");
  EXPECT_EQ(read_text(boat / "media/a.txt"), "what is live");
}

// The newest is newer than what a drill has proven: that one is taken.
TEST_F(RunbookPostgresCli, ThePointThatADrillHasProvenIsPreferred) {
  auto plan = read_text(boat / "lifeboat.yaml");
  plan +=
      "  proven:\n    steps:\n      - choose: {group: app, prefer: proven}\n"
      "      - restore: {store: db, to: production, at: $point, how: beside}\n";
  plan = replaced(plan, "drills:\n",
                  "drills:\n  both: {every: monthly, restore: app, into: sandbox, checks: [db]}\n");
  write_text(boat / "lifeboat.yaml", plan);
  as("ada");
  auto ran = boat.run({"run", "proven", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75);
  EXPECT_NE(ran.err.find("no drill that passed"), std::string::npos) << ran.err;
  boat.must({"drill", "both"});
  sql("INSERT INTO orders VALUES (1000)");
  boat.must({"backup"});
  EXPECT_EQ(boat.run({"drill", "both"}).exit_code, 4) << "501 orders are not what is expected";
  say({"step", "retry"});
  go_on();
  EXPECT_EQ(state_of(1), "done") << shown().dump();
  say({"step", "confirm", "production"});
  ran = go_on();
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(server->value("SELECT count(*) FROM orders", "shop_restored"), "500");
}

}  // namespace
}  // namespace lb::test
