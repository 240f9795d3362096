// tables, fresh, sql and equal on a real server: right data passes, wrong data fails, and what
// cannot run is an error.
#include <gtest/gtest.h>

#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;
using Op = plan::Comparison::Op;

class DatabaseChecks : public PostgresTest {};

TEST_F(DatabaseChecks, TablesNamesWhatIsMissing) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE users (id int); CREATE SCHEMA billing; CREATE TABLE billing.\"Odd Name\" ()");
  auto right = bench.run_what(plan::CheckTables{{"users", "billing.Odd Name"}});
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(right.examined, 2u);
  EXPECT_EQ(right.store, "db");

  bench.sql("DROP TABLE users; CREATE VIEW users AS SELECT 1 AS id");
  auto wrong = bench.run_what(plan::CheckTables{{"users", "billing.Odd Name", "billing.users"}});
  EXPECT_EQ(wrong.state, CheckState::fail);
  EXPECT_EQ(wrong.got, "missing: users, billing.users");
}

TEST_F(DatabaseChecks, TablesOfAnEmptyListFails) {
  CopyBench bench;
  auto result = bench.run_what(plan::CheckTables{});
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.reason, "nothing was examined");
}

TEST_F(DatabaseChecks, AnotherServerIsAnError) {
  CopyBench bench;
  bench.sql("CREATE TABLE users (id int)");
  bench.store().run_marker = "another run";
  auto result = bench.run_what(plan::CheckTables{{"users"}});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("marker"), std::string::npos) << result.reason;
}

TEST_F(DatabaseChecks, FreshGivesTheNewestRowAndItsAge) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE jobs (created_at timestamptz); CREATE TABLE plain (at timestamp);"
      "INSERT INTO jobs VALUES ('2026-01-13T01:00:00Z'), ('2026-01-12T01:00:00Z'), (NULL);"
      "INSERT INTO plain VALUES ('2026-01-13 01:30:00')");
  auto newest = bench.run_what(plan::CheckFresh{"jobs", "created_at", {}});
  EXPECT_EQ(newest.state, CheckState::pass) << all_text(newest);
  EXPECT_EQ(newest.newest, *parse_time("2026-01-13T01:00:00Z"));
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"plain", "at", Seconds(1800)}).state, CheckState::pass);
  // The clock stands at 02:00.
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"jobs", "created_at", Seconds(3600)}).state,
            CheckState::pass);
  auto old = bench.run_what(plan::CheckFresh{"jobs", "created_at", Seconds(3599)});
  EXPECT_EQ(old.state, CheckState::fail);
  EXPECT_EQ(old.newest, *parse_time("2026-01-13T01:00:00Z"));

  bench.context.loss_moment = *parse_time("2026-01-13T01:00:10Z");
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"jobs", "created_at", Seconds(10)}).state,
            CheckState::pass);
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"jobs", "created_at", Seconds(9)}).state,
            CheckState::fail);
}

TEST_F(DatabaseChecks, FreshFailsWithoutRowsAndErrsWithoutColumn) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE jobs (created_at timestamptz, title text); INSERT INTO jobs VALUES (NULL, "
      "'x')");
  auto empty = bench.run_what(plan::CheckFresh{"jobs", "created_at", {}});
  EXPECT_EQ(empty.state, CheckState::fail) << all_text(empty);
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"gone", "created_at", {}}).state, CheckState::fail);
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"jobs", "updated_at", {}}).state, CheckState::error);
  EXPECT_EQ(bench.run_what(plan::CheckFresh{"jobs", "title", {}}).state, CheckState::error);
}

struct SqlCase {
  std::string sql;
  plan::Comparison expect;
  CheckState state;
  std::string says;  // in all text
};

TEST_F(DatabaseChecks, SqlComparesOneValue) {
  CopyBench bench;
  bench.sql("CREATE TABLE t (id int, amount numeric); INSERT INTO t VALUES (1, 12.50), (2, 7.25)");
  const SqlCase cases[] = {
      {"SELECT count(*) FROM t WHERE amount < 0", equal_to("0"), CheckState::pass, "count: 0"},
      {"SELECT count(*) FROM t WHERE amount > 8;", equal_to("0"), CheckState::fail, "got 1"},
      {"SELECT sum(amount) FROM t -- all of it", equal_to("19.75"), CheckState::pass, ""},
      {"SELECT sum(amount) FROM t", equal_to("19.76"), CheckState::fail, "19.75"},
      {"WITH x AS (SELECT max(id) AS m FROM t) SELECT m FROM x", expecting(Op::greater_equal, "2"),
       CheckState::pass, ""},
      {"SELECT interval '59 minutes'", expecting(Op::less, "1h"), CheckState::pass, ""},
      {"SELECT pg_database_size(current_database())", expecting(Op::greater, "100TiB"),
       CheckState::fail, ""},
      {"SHOW server_version_num", expecting(Op::greater, "90000"), CheckState::pass, ""},
      {"SELECT true", equal_to("true"), CheckState::pass, ""},
      {"SELECT max(id) FROM t WHERE false", expecting(Op::less, "5"), CheckState::fail, "NULL"},
      {"SELECT id FROM t WHERE false", equal_to("0"), CheckState::error, "no row"},
      {"SELECT id FROM t", equal_to("1"), CheckState::error, "more than one row"},
      {"SELECT 1, 2", equal_to("1"), CheckState::error, "2 columns"},
      {"SELECT 'apples'", expecting(Op::less, "5"), CheckState::error, "no order"},
      {"SELECT count(*) FROM gone", equal_to("0"), CheckState::error, "gone"},
      {"SELEC 1", equal_to("1"), CheckState::error, "syntax error"},
      {"SELECT 1/0", equal_to("1"), CheckState::error, "division by zero"},
      {"DELETE FROM t", equal_to("1"), CheckState::error, ""},
      {"SELECT 1; DELETE FROM t", equal_to("1"), CheckState::error, ""},
      {"WITH d AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM d", equal_to("2"),
       CheckState::error, ""},
      {"SELECT nextval('s')", equal_to("1"), CheckState::error, ""},
  };
  bench.sql("CREATE SEQUENCE s");
  for (const auto& c : cases) {
    auto result = bench.run_what(plan::CheckSql{c.sql, c.expect});
    EXPECT_EQ(result.state, c.state) << c.sql << "\n" << all_text(result);
    EXPECT_NE(all_text(result).find(c.says), std::string::npos) << all_text(result);
  }
  EXPECT_EQ(bench.value("SELECT count(*) FROM t"), "2");  // nothing was written
}

TEST_F(DatabaseChecks, SqlLongerThanTheLimitIsAnError) {
  CopyBench bench;
  bench.context.statement_limit = std::chrono::milliseconds(200);
  auto result = bench.run_what(plan::CheckSql{"SELECT count(*) FROM pg_sleep(30)", equal_to("1")});
  EXPECT_EQ(result.state, CheckState::error) << all_text(result);
}

struct EqualCase {
  std::string left, right;
  CheckState state;
  std::string says;
};

TEST_F(DatabaseChecks, EqualShowsTheFirstDifferingKeys) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE accounts (id int, balance numeric); CREATE TABLE moves (account int, amount "
      "numeric);"
      "INSERT INTO accounts VALUES (1, 10.00), (2, 20), (10, 5);"
      "INSERT INTO moves VALUES (1, 4), (1, 6), (2, 19.50), (10, 5), (11, 1)");
  const std::string sums = "SELECT account, sum(amount) FROM moves GROUP BY account";
  const EqualCase cases[] = {
      {"SELECT id, balance FROM accounts WHERE id <> 2;",
       "SELECT account, sum(amount) FROM moves WHERE account NOT IN (2, 11) GROUP BY account -- "
       "sums",
       CheckState::pass, "0 of 2 keys differ"},
      {"SELECT id, balance FROM accounts", sums, CheckState::fail, "key 2: left 20, right 19.5"},
      {"SELECT id, balance FROM accounts", sums, CheckState::fail, "key 11: left no row, right 1"},
      {sums, "SELECT id, balance FROM accounts", CheckState::fail, "2 of 4 keys differ"},
      {"SELECT 1, NULL", "SELECT 1, 0", CheckState::fail, "left NULL, right 0"},
      {"SELECT NULL::int, 5", "SELECT NULL::int, 5", CheckState::pass, ""},
      {"SELECT 1, '007'", "SELECT 1, '7'", CheckState::fail, ""},
      {"SELECT 1, '7'", "SELECT 1, 7", CheckState::fail, ""},
      {"SELECT 1, 1.50", "SELECT 1, 1.5", CheckState::pass, ""},
      // one column: the keys themselves, each as often on both sides
      {"SELECT x FROM generate_series(1, 3) x", "VALUES (3), (1), (2)", CheckState::pass, ""},
      {"VALUES (1), (1), (2)", "VALUES (1), (2), (2)", CheckState::fail, "key 1"},
      // several key columns, keys in several orders, duplicates
      {"SELECT * FROM (VALUES ('b', 'B', 1), ('B', 'b', 2), ('é', '', 3)) v",
       "SELECT * FROM (VALUES ('é', '', 3), ('B', 'b', 2), ('b', 'B', 1)) v", CheckState::pass, ""},
      {"VALUES (1, 5), (1, 6)", "VALUES (1, 6), (1, 5)", CheckState::pass, ""},
      {"VALUES (1, 5), (1, 6)", "VALUES (1, 6), (1, 6)", CheckState::fail, "left 5, 6, right 6, 6"},
      {"VALUES (1, 5)", "VALUES (1, 5), (1, 5)", CheckState::fail, "key 1"},
      {"SELECT 1, 2 WHERE false", "SELECT 1, 2 WHERE false", CheckState::fail,
       "nothing was examined"},
      {"SELECT 1, 2", "SELECT 1, 2 WHERE false", CheckState::fail, "right no row"},
      {"SELECT 1, 2", "SELECT 1", CheckState::error, "same number"},
      {"SELECT 1 AS a, 2 AS a", "SELECT 1 AS a, 2 AS a", CheckState::pass, ""},
      {"SELECT 1, x FROM gone", "SELECT 1, 2", CheckState::error, "left query"},
  };
  for (const auto& c : cases) {
    auto result = bench.run_what(plan::CheckEqual{c.left, c.right});
    EXPECT_EQ(result.state, c.state) << c.left << "\n" << all_text(result);
    EXPECT_NE(all_text(result).find(c.says), std::string::npos) << c.left << "\n"
                                                                << all_text(result);
  }
}

TEST_F(DatabaseChecks, EqualReadsMoreThanOneBatch) {
  CopyBench bench;
  auto numbers = [](const std::string& except) {
    return cat("SELECT i, i * 2 FROM generate_series(1, 7000) i WHERE i <> ", except);
  };
  auto same = bench.run_what(plan::CheckEqual{numbers("0"), numbers("0")});
  EXPECT_EQ(same.state, CheckState::pass) << all_text(same);
  EXPECT_EQ(same.examined, 14000u);
  auto differs = bench.run_what(plan::CheckEqual{numbers("6543"), numbers("17")});
  EXPECT_EQ(differs.state, CheckState::fail);
  EXPECT_NE(differs.got.find("2 of 7000 keys differ"), std::string::npos) << differs.got;
}

TEST_F(DatabaseChecks, WithoutPrivilegeIsAnError) {
  CopyBench bench;
  bench.sql("CREATE TABLE users (id int); INSERT INTO users VALUES (1)");
  bench.server.make_role("reader", "pw");
  bench.store().connection = bench.server.conninfo_as("reader", "pw", bench.database);
  auto result = bench.run_what(plan::CheckSql{"SELECT count(*) FROM users", equal_to("1")});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("permission denied"), std::string::npos) << result.reason;
  // Rows hidden by a policy must not look like rows that are not there.
  bench.sql("GRANT SELECT ON users TO reader; ALTER TABLE users ENABLE ROW LEVEL SECURITY");
  EXPECT_EQ(bench.run_what(plan::CheckSql{"SELECT count(*) FROM users", equal_to("0")}).state,
            CheckState::error);
}

TEST_F(DatabaseChecks, ServerGoneIsAnErrorForEveryKind) {
  test::PostgresOptions options;
  options.settings = {{"lifeboat.run", run_marker}};
  auto server = test::PostgresServer::start(options);
  CopyBench bench(*server);
  server->stop();
  plan::Suite suite;
  auto add = [&](auto what) {
    plan::Check check;
    check.name = "check";
    check.what = std::move(what);
    suite.checks.push_back(std::move(check));
  };
  add(plan::CheckTables{{"users"}});
  add(plan::CheckCount{{"users"}, as_recorded()});
  add(plan::CheckFresh{"users", "at", {}});
  add(plan::CheckForeignKeys{{}, true});
  add(plan::CheckAmcheck{{}, true, true});
  add(plan::CheckSql{"SELECT 1", equal_to("1")});
  add(plan::CheckEqual{"SELECT 1", "SELECT 1"});
  auto results = bench.run(suite);
  ASSERT_EQ(results.size(), suite.checks.size());
  for (const auto& result : results) {
    EXPECT_EQ(result.state, CheckState::error) << result.kind;
    EXPECT_EQ(result.examined, 0u);
  }
  EXPECT_EQ(judge(results).verdict, record::Verdict::inconclusive);
}

}  // namespace
}  // namespace lb::check
