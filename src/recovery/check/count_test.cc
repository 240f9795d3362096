// count on a real server: recorded rows plus what the log added is exactly what must be there.
#include <gtest/gtest.h>

#include "recovery/check/checks_fixture.h"
#include "recovery/check/recorded_point.h"
#include "stores/postgres/fingerprint_testing.h"

namespace lb::check {
namespace {

using record::CheckState;
using Op = plan::Comparison::Op;

class CountBench : public CopyBench {
 public:
  // The fingerprint a backup would record now.
  void record_now() {
    RecordedTables tables;
    for (const auto& row :
         server.rows("SELECT n.nspname, c.relname, pg_relation_filenode(c.oid) FROM pg_class c"
                     " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                     " AND n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema'",
                     database)) {
      auto rows =
          *parse_int(value(cat("SELECT count(*) FROM ONLY \"", row[0], "\".\"", row[1], "\"")));
      tables.add({row[0], row[1], static_cast<std::uint32_t>(*parse_int(row[2])), rows, false});
    }
    tables.sort();
    auto oid = number("SELECT oid FROM pg_database WHERE datname = current_database()");
    store().recorded.emplace().push_back({database, oid, {}, std::move(tables)});
    store().row_deltas.emplace();
  }

  void log_added(const std::string& table, std::int64_t rows) {
    (*store().row_deltas)[{number("SELECT oid FROM pg_database WHERE datname = current_database()"),
                           number(cat("SELECT pg_relation_filenode('", table, "')"))}] = rows;
  }

  std::uint32_t number(const std::string& text) const {
    return static_cast<std::uint32_t>(*parse_int(value(text)));
  }

  record::CheckResult count(std::vector<std::string> tables) {
    return run_what(plan::CheckCount{std::move(tables), as_recorded()});
  }
};

class Count : public PostgresTest {};

TEST_F(Count, IsRecordedPlusWhatTheLogAdded) {
  CountBench bench;
  bench.sql(
      "CREATE TABLE users AS SELECT generate_series(1, 100) AS id; CREATE TABLE jobs (id int)");
  bench.record_now();
  auto unchanged = bench.count({"users", "jobs"});
  EXPECT_EQ(unchanged.state, CheckState::pass) << all_text(unchanged);
  EXPECT_EQ(unchanged.got, "users 100, jobs 0");
  EXPECT_EQ(unchanged.expected, "recorded: users 100, jobs 0");

  bench.sql("INSERT INTO users VALUES (101), (102), (103); DELETE FROM users WHERE id = 1");
  EXPECT_EQ(bench.count({"users"}).state, CheckState::fail);
  bench.log_added("users", 2);
  auto with_log = bench.count({"users", "public.jobs"});
  EXPECT_EQ(with_log.state, CheckState::pass) << all_text(with_log);
  EXPECT_EQ(with_log.evidence.at(0),
            "public.users: expected 102 (100 recorded, +2 by the log), got 102");

  bench.sql("DELETE FROM users WHERE id = 50");
  auto lost = bench.count({"jobs", "users"});
  EXPECT_EQ(lost.state, CheckState::fail);
  EXPECT_EQ(lost.reason, "public.users has 101 rows instead of 102");
}

TEST_F(Count, NeverPassesWithoutTheLog) {
  CountBench bench;
  bench.sql("CREATE TABLE users AS SELECT generate_series(1, 100) AS id");
  bench.record_now();
  bench.store().row_deltas.reset();
  bench.store().row_deltas_missing = "segment 0000000100000000000000A3 is missing";
  auto result = bench.count({"users"});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("0000000100000000000000A3 is missing"), std::string::npos);
}

TEST_F(Count, RefusesTablesRewrittenSince) {
  CountBench bench;
  bench.sql("CREATE TABLE users AS SELECT generate_series(1, 100) AS id");
  bench.record_now();
  bench.sql("VACUUM FULL users");
  auto result = bench.count({"users"});
  EXPECT_EQ(result.state, CheckState::error);
  EXPECT_NE(result.reason.find("the table was rewritten after it was counted"), std::string::npos);
}

TEST_F(Count, TellsUnrecordedFromMissing) {
  CountBench bench;
  bench.sql("CREATE TABLE users (id int)");
  bench.record_now();
  bench.sql("CREATE TABLE later (id int)");
  auto later = bench.count({"later"});
  EXPECT_EQ(later.state, CheckState::error);
  EXPECT_NE(later.reason.find("was not counted when the snapshot was taken"), std::string::npos);
  bench.sql("DROP TABLE users");
  auto missing = bench.count({"later", "users"});
  EXPECT_EQ(missing.state, CheckState::fail) << "a failure outweighs an error";
  EXPECT_NE(missing.reason.find("public.users is not in the restored copy"), std::string::npos);
  bench.store().recorded.reset();
  EXPECT_EQ(bench.count({"later"}).state, CheckState::error);
}

TEST_F(Count, TakesTheFingerprintThatBackupsRecord) {
  CountBench bench;
  bench.sql(
      "CREATE TABLE users AS SELECT generate_series(1, 100) AS id;"
      "CREATE UNLOGGED TABLE scratch AS SELECT 1 AS id");
  auto print =
      pg::take_fingerprint(Secret(bench.store().connection), "1", bench.clock, nullptr, {});
  ASSERT_TRUE(print.ok()) << print.error().text();
  const RecordedPoint point(pg::text_of(*print));
  bench.store().recorded = read_recorded(*point.snapshot).take();
  bench.store().row_deltas.emplace();
  auto right = bench.count({"users"});
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  auto unlogged = bench.count({"scratch"});
  EXPECT_EQ(unlogged.state, CheckState::error);
  EXPECT_NE(unlogged.reason.find("is unlogged"), std::string::npos) << unlogged.reason;
  bench.sql("DELETE FROM users WHERE id = 7");
  EXPECT_EQ(bench.count({"users"}).state, CheckState::fail);
}

TEST_F(Count, SumsThePartsOfAPartitionedTable) {
  CountBench bench;
  bench.sql(
      "CREATE TABLE events (id int, y int) PARTITION BY LIST (y);"
      "CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);"
      "CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2) PARTITION BY LIST (id);"
      "CREATE TABLE events_2x PARTITION OF events_2 DEFAULT;"
      "INSERT INTO events SELECT i, 1 + i % 2 FROM generate_series(1, 50) i");
  bench.record_now();
  EXPECT_EQ(bench.count({"events"}).state, CheckState::pass);
  bench.sql("INSERT INTO events VALUES (51, 2)");
  EXPECT_EQ(bench.count({"events"}).state, CheckState::fail);
  bench.log_added("events_2x", 1);
  auto result = bench.count({"events", "events_1", "events_2"});
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
}

TEST_F(Count, RowsOfInheritingTablesAreNotCountedTwice) {
  CountBench bench;
  bench.sql(
      "CREATE TABLE base (id int); CREATE TABLE derived () INHERITS (base);"
      "INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2)");
  bench.record_now();
  auto result = bench.count({"base", "derived"});
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_EQ(result.got, "base 1, derived 1");
}

TEST_F(Count, AllMeansEveryTableThatIsStillTheSame) {
  CountBench bench;
  bench.sql(
      "CREATE TABLE users AS SELECT generate_series(1, 100) AS id; CREATE TABLE jobs (id int);"
      "CREATE TABLE gone (id int); CREATE TABLE anew (id int)");
  bench.record_now();
  bench.sql("DROP TABLE gone; TRUNCATE anew; INSERT INTO anew VALUES (1)");
  auto all = plan::CheckCount{{}, as_recorded(), true};
  auto result = bench.run_what(all);
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_EQ(result.examined, 2u);
  EXPECT_EQ(result.got, "2 of 4 tables");
  EXPECT_NE(all_text(result).find("public.gone: not compared"), std::string::npos);
  EXPECT_NE(all_text(result).find("public.anew: not compared"), std::string::npos);

  bench.sql("DELETE FROM users WHERE id = 7");
  auto lost = bench.run_what(all);
  EXPECT_EQ(lost.state, CheckState::fail) << all_text(lost);
  EXPECT_EQ(lost.reason, "public.users has 99 rows instead of 100");

  bench.sql("TRUNCATE users; TRUNCATE jobs");
  EXPECT_EQ(bench.run_what(all).state, CheckState::error) << "nothing compared is no pass";
}

TEST_F(Count, ComparesWithANumberOfThePlan) {
  CountBench bench;
  bench.sql("CREATE TABLE users AS SELECT generate_series(1, 3) AS id; CREATE TABLE jobs (id int)");
  EXPECT_EQ(bench.run_what(plan::CheckCount{{"users"}, expecting(Op::greater, "0")}).state,
            CheckState::pass);
  auto empty = bench.run_what(plan::CheckCount{{"users", "jobs"}, expecting(Op::greater, "0")});
  EXPECT_EQ(empty.state, CheckState::fail);
  EXPECT_EQ(empty.reason, "public.jobs has 0 rows, expected > 0");
  EXPECT_EQ(bench.run_what(plan::CheckCount{{}, expecting(Op::greater, "0")}).state,
            CheckState::fail);
}

}  // namespace
}  // namespace lb::check
