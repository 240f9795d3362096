// foreign_keys on a real server: each case breaks a constraint behind the server's back, after
// which the server itself still calls it valid.
#include <gtest/gtest.h>

#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;

class ForeignKeys : public PostgresTest {};

const plan::CheckForeignKeys every{{}, true};

struct Case {
  std::string schema, damage;
  std::string violation;  // in the evidence after the damage
};

TEST_F(ForeignKeys, EveryBrokenReferenceIsFound) {
  const Case cases[] = {
      // a deleted parent
      {"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p);"
       "INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1), (2), (2), (NULL)",
       "DELETE FROM p WHERE id = 2", "public.c c_p_id_fkey: (2) no such row in public.p"},
      // an orphan child
      {"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p);"
       "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)",
       "INSERT INTO c VALUES (99)", "(99) no such row in public.p"},
      // two columns, MATCH SIMPLE: half null is right, wrong pairs are not
      {"CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)); CREATE TABLE c (x int, y text,"
       " CONSTRAINT pair FOREIGN KEY (x, y) REFERENCES p (a, b));"
       "INSERT INTO p VALUES (1, 'one'), (2, 'two'); INSERT INTO c VALUES (1, 'one'), (7, NULL)",
       "INSERT INTO c VALUES (1, 'two')", "public.c pair: (1, two) no such row"},
      // MATCH FULL: half null is wrong
      {"CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE c (x int, y int,"
       " CONSTRAINT whole FOREIGN KEY (x, y) REFERENCES p MATCH FULL);"
       "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1), (NULL, NULL)",
       "INSERT INTO c VALUES (1, NULL)", "(1, NULL) null in part"},
      // a table referring to itself, odd names in another schema
      {"CREATE SCHEMA \"My App\"; CREATE TABLE \"My App\".\"a\"\"b\" (\"Id\" int PRIMARY KEY,"
       " \"up to\" int REFERENCES \"My App\".\"a\"\"b\");"
       "INSERT INTO \"My App\".\"a\"\"b\" VALUES (1, NULL), (2, 1)",
       "DELETE FROM \"My App\".\"a\"\"b\" WHERE \"Id\" = 1", "My App.a\"b"},
      // columns of different types and different collations
      {"CREATE TABLE p (id bigint PRIMARY KEY, t text COLLATE \"C\" UNIQUE);"
       "CREATE TABLE c (p_id smallint REFERENCES p, t varchar COLLATE \"POSIX\" REFERENCES p (t));"
       "INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1, 'x')",
       "INSERT INTO c VALUES (1, 'y')", "(y) no such row"},
      // partitions on both sides
      {"CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);"
       "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
       "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
       "CREATE TABLE c (p_id int REFERENCES p) PARTITION BY LIST (p_id);"
       "CREATE TABLE c1 PARTITION OF c DEFAULT;"
       "INSERT INTO p VALUES (1), (11); INSERT INTO c VALUES (1), (11)",
       "DELETE FROM p2", "public.c c_p_id_fkey: (11) no such row in public.p"},
      // rows of an inheriting table do not satisfy the reference
      {"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE kid () INHERITS (p);"
       "CREATE TABLE c (p_id int REFERENCES p);"
       "INSERT INTO p VALUES (1); INSERT INTO kid VALUES (2); INSERT INTO c VALUES (1)",
       "INSERT INTO c VALUES (2)", "(2) no such row"},
  };
  for (const auto& c : cases) {
    CopyBench bench;
    bench.sql(c.schema);
    auto right = bench.run_what(every);
    EXPECT_EQ(right.state, CheckState::pass) << c.schema << "\n" << all_text(right);
    EXPECT_GT(right.examined, 0u);
    bench.sql(cat("SET session_replication_role = replica; ", c.damage));
    auto wrong = bench.run_what(every);
    EXPECT_EQ(wrong.state, CheckState::fail) << c.schema << "\n" << all_text(wrong);
    EXPECT_NE(all_text(wrong).find(c.violation), std::string::npos) << all_text(wrong);
  }
}

TEST_F(ForeignKeys, AreNotBelievedBecauseTheServerCallsThemValid) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p);"
      "INSERT INTO p VALUES (1), (2); INSERT INTO c SELECT 1 + i % 2 FROM generate_series(1, 30) i;"
      "ALTER TABLE p DISABLE TRIGGER ALL; DELETE FROM p WHERE id = 2; ALTER TABLE p ENABLE TRIGGER "
      "ALL");
  bench.sql("ALTER TABLE c VALIDATE CONSTRAINT c_p_id_fkey");  // succeeds: it is marked valid
  EXPECT_EQ(bench.value("SELECT convalidated FROM pg_constraint WHERE conname = 'c_p_id_fkey'"),
            "t");
  auto result = bench.run_what(every);
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.reason, "public.c c_p_id_fkey: 15 of 30 rows refer to nothing in public.p");
  EXPECT_EQ(result.examined, 30u);
}

TEST_F(ForeignKeys, NotValidOnesAreReportedOnly) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int); INSERT INTO c VALUES (5);"
      "ALTER TABLE c ADD CONSTRAINT later FOREIGN KEY (p_id) REFERENCES p NOT VALID");
  auto result = bench.run_what(every);
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_NE(all_text(result).find("NOT VALID in the source, 1 of 1 rows break it"),
            std::string::npos);
}

TEST_F(ForeignKeys, NothingExaminedFails) {
  CopyBench bench;
  auto none = bench.run_what(every);
  EXPECT_EQ(none.state, CheckState::fail);
  EXPECT_EQ(none.reason, "there is no foreign key to check: nothing was examined");
  bench.sql(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p); CREATE TABLE "
      "lone ()");
  auto no_rows = bench.run_what(every);
  EXPECT_EQ(no_rows.state, CheckState::fail);
  EXPECT_EQ(no_rows.reason, "nothing was examined");
  EXPECT_EQ(bench.run_what(plan::CheckForeignKeys{{"lone"}, false}).state, CheckState::fail);
  EXPECT_EQ(bench.run_what(plan::CheckForeignKeys{{"gone"}, false}).state, CheckState::error);
}

TEST_F(ForeignKeys, NamedTablesLimitTheCheck) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE good (p_id int REFERENCES p);"
      "CREATE TABLE bad (p_id int REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO good VALUES "
      "(1);"
      "SET session_replication_role = replica; INSERT INTO bad VALUES (2)");
  EXPECT_EQ(bench.run_what(plan::CheckForeignKeys{{"good"}, false}).state, CheckState::pass);
  EXPECT_EQ(bench.run_what(plan::CheckForeignKeys{{"good", "bad"}, false}).state, CheckState::fail);
}

TEST_F(ForeignKeys, WithoutPrivilegeIsAnError) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p); INSERT INTO p "
      "VALUES (1)");
  bench.server.make_role("no_reader", "pw");
  bench.store().connection = bench.server.conninfo_as("no_reader", "pw", bench.database);
  EXPECT_EQ(bench.run_what(every).state, CheckState::error);
}

}  // namespace
}  // namespace lb::check
