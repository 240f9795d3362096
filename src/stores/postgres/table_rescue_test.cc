// One server is both: its database "copy" stands for the restored point, "live" for the target.
#include "stores/postgres/table_rescue.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/copy_rows.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

class TableRescue : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = test::PostgresServer::start();
    server->sql("CREATE DATABASE copy");
    server->sql("CREATE DATABASE live");
  }
  std::unique_ptr<Connection> open(const std::string& database) {
    return Connection::open(Secret(server->conninfo(database))).take();
  }
  Result<std::string> dump(const std::vector<std::string>& arguments) {
    Command command;
    command.argv = {test::PostgresServer::binaries() + "/pg_dump",
                    "--dbname=" + server->conninfo("copy")};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
    auto ran = LB_TRY(real.processes->run(command, Seconds(60), {}));
    if (!ran.ok()) return Error(ErrorKind::internal, ran.errors);
    return ran.output;
  }
  Result<MovedTable> rescue(const std::string& table, const std::string& as,
                            const std::string& note = "") {
    TableWish wish{parse_table_name(table).take(), parse_table_name(as).take(), note};
    auto copy = open("copy"), live = open("live");
    LB_TRY(check_table_target(*live, wish));
    prepared = LB_TRY(prepare_table(*copy, *live, wish));
    return move_table(*copy, *live, wish, prepared, [&](const auto& words) { return dump(words); },
                      {}, {});
  }
  std::string live(const std::string& sql) { return server->value(sql, "live"); }
  bool left_out(const std::string& what) {
    return std::find(prepared.left_out.begin(), prepared.left_out.end(), what) !=
           prepared.left_out.end();
  }

  RealWorld real;
  std::unique_ptr<test::PostgresServer> server;
  PreparedTable prepared;
};

// What the two databases share, and a table with all that tables can have.
constexpr const char* base = R"(
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'Great day');
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE FUNCTION noisy() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'fired'; END $$;
)";
constexpr const char* rich = R"(
  INSERT INTO users VALUES (1), (2);
  CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    old_id serial UNIQUE,
    user_id int REFERENCES users,
    "What" text NOT NULL DEFAULT 'nothing' CHECK ("What" <> 'bad'),
    at timestamptz, took interval, price numeric(10,2), raw bytea, tags text[], feels mood,
    twice int GENERATED ALWAYS AS (user_id * 2) STORED, gone int
  );
  ALTER TABLE orders DROP COLUMN gone;
  COMMENT ON TABLE orders IS 'of the shop';
  CREATE INDEX ON orders (at) WHERE price > 3;
  CREATE INDEX by_what ON orders (lower("What"));
  CREATE STATISTICS corr ON user_id, price FROM orders;
  INSERT INTO orders (user_id, "What", at, took, price, raw, tags, feels)
    SELECT 1 + n % 2, E'tab\t, line\n, back\\slash ' || n || chr(8364),
      timestamptz '2026-01-13 02:14:00.123456+00' + n * interval '1 day', n * interval '13 min 7 s',
      n * 1.11, decode(md5(n::text), 'hex'), ARRAY['a', NULL, 'c,d' || n],
      (ARRAY['sad', 'ok', 'Great day', NULL]::mood[])[1 + n % 4]
    FROM generate_series(1, 5000) n;
  CREATE TABLE lines (order_id bigint REFERENCES orders);
  CREATE TRIGGER on_change BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION noisy();
  ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON orders USING (user_id = 1);
  GRANT SELECT ON orders TO PUBLIC;
)";
constexpr const char* digest =
    "SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY id)) FROM ";

TEST_F(TableRescue, EverythingATableCanHaveComesOrIsNamed) {
  server->sql(base, "copy");
  server->sql(base, "live");
  server->sql(rich, "copy");
  server->sql("CREATE TABLE orders AS SELECT 'mine' AS untouched", "live");
  auto wanted = server->value(std::string(digest) + "orders t", "copy");
  auto moved = rescue("orders", "orders_restored");
  ASSERT_TRUE(moved.ok()) << moved.error().text();
  EXPECT_EQ(moved->rows, 5000u);
  EXPECT_EQ(live(std::string(digest) + "orders_restored t"), wanted);
  EXPECT_EQ(live("SELECT untouched FROM orders"), "mine");
  EXPECT_EQ(
      live("SELECT string_agg(indexname, ' ' ORDER BY indexname COLLATE \"C\") FROM pg_indexes"
           " WHERE tablename = 'orders_restored'"),
      "by_what_restored orders_restored_at_idx orders_restored_old_id_key "
      "orders_restored_pkey");
  EXPECT_EQ(live("SELECT obj_description('orders_restored'::regclass)"), "of the shop");
  // Sequences go on where the old ones were.
  live("INSERT INTO orders_restored (\"What\") VALUES ('new')");
  EXPECT_EQ(live("SELECT id || ' ' || old_id FROM orders_restored WHERE \"What\" = 'new'"),
            "5001 5001");
  for (const char* what : {"foreign key orders_user_id_fkey", "trigger on_change",
                           "row security policy own", "row security", "statistics corr", "grants",
                           "foreign key lines_order_id_fkey of public.lines to it"}) {
    EXPECT_TRUE(left_out(what)) << what << " not among: " << join(prepared.left_out, "; ");
  }
  auto again = rescue("orders", "orders_restored");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().exit_code(), ExitCode::refused);
}

TEST_F(TableRescue, ItsNoteTellsThatItWasMoved) {
  server->sql("CREATE TABLE a (n int); COMMENT ON TABLE a IS 'it''s mine'; CREATE TABLE b (n int)",
              "copy");
  auto before = [&](const std::string& as, const std::string& note) {
    auto connection = open("live");
    return moved_before(*connection, {{"public", "a"}, {"public", as}, note}).take();
  };
  EXPECT_FALSE(before("a_restored", "run 7")) << "there is no such table";
  ASSERT_TRUE(rescue("a", "a_restored", "run 7").ok());
  EXPECT_EQ(live("SELECT obj_description('a_restored'::regclass)"), "it's mine\nrun 7");
  EXPECT_TRUE(before("a_restored", "run 7"));
  EXPECT_FALSE(before("a_restored", "un 7")) << "a line, not an end";
  EXPECT_FALSE(before("a_restored", "run 8")) << "another step, or another point";
  EXPECT_FALSE(before("a_restored", "")) << "nobody asked for it to be recognised";
  ASSERT_TRUE(rescue("b", "b_restored", "run 7").ok());
  EXPECT_TRUE(before("b_restored", "run 7"));
}

TEST_F(TableRescue, NamesOfAllKindsAndOtherSchemas) {
  server->sql(R"(CREATE SCHEMA "Big One"; CREATE TABLE "Big One"."a.b ""c" (id serial, "x y" int);
                 INSERT INTO "Big One"."a.b ""c" ("x y") VALUES (7);
                 CREATE SCHEMA other; CREATE TABLE other.taken (n int);
                 CREATE TABLE other."a.b ""c" (n int))",
              "copy");
  server->sql("CREATE SCHEMA other", "live");
  auto moved = rescue(R"("Big One"."a.b ""c")", "other.taken");
  ASSERT_TRUE(moved.ok()) << moved.error().text();
  EXPECT_EQ(live("SELECT \"x y\" FROM other.taken"), "7");
  std::string longest(63, 'x');
  server->sql("CREATE TABLE " + longest + " (id int PRIMARY KEY); CREATE TABLE empty ()", "copy");
  auto name = name_with_suffix(longest, "_restored");
  EXPECT_EQ(name.size(), 63u);
  auto second = rescue(longest, name);
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(live("SELECT count(*) FROM " + name), "0");
  auto empty = rescue("empty", "empty");
  EXPECT_TRUE(empty.ok()) << empty.error().text();
}

TEST_F(TableRescue, WhatCannotBeMovedIsSaidBeforehand) {
  server->sql(base, "copy");
  server->sql(rich, "copy");
  server->sql(R"(CREATE TABLE parts (n int) PARTITION BY LIST (n);
                 CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);
                 INSERT INTO parts VALUES (1); CREATE VIEW seen AS SELECT 1;
                 CREATE UNLOGGED TABLE fast (n int))",
              "copy");
  auto says = [&](const std::string& table, const std::string& as, const std::string& words) {
    auto moved = rescue(table, as);
    ASSERT_FALSE(moved.ok()) << table;
    EXPECT_NE(moved.error().text().find(words), std::string::npos) << moved.error().text();
  };
  says("nowhere", "x", "there is no table public.nowhere");
  says("parts", "x", "is partitioned");
  says("seen", "x", "is no table");
  says("fast", "x", "is unlogged");
  says("orders", "missing.x", "no schema missing");
  says("orders", "x", "no type public.mood");
  EXPECT_EQ(live("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
  auto part = rescue("part1", "part1_restored");
  ASSERT_TRUE(part.ok()) << part.error().text();
  EXPECT_TRUE(left_out("being a partition of public.parts"));
  EXPECT_EQ(live("SELECT n FROM part1_restored"), "1");
}

TEST_F(TableRescue, AFailureInTheMiddleLeavesNothing) {
  server->sql(
      "CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2';"
      "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 200000);"
      "CREATE INDEX ON t (half(n))",
      "copy");
  auto moved = rescue("t", "t_restored");
  ASSERT_FALSE(moved.ok()) << "the index needs a function that is not there";
  EXPECT_NE(moved.error().text().find("half"), std::string::npos) << moved.error().text();
  EXPECT_EQ(live("SELECT to_regclass('t_restored') IS NULL"), "t");
  // A server that refuses rows has the last word.
  server->sql("CREATE TABLE few (n int CHECK (n < 1000))", "live");
  auto copy = open("copy"), target = open("live");
  auto copied =
      copy_rows(*copy, "COPY t_restored TO STDOUT", *target, "COPY few FROM STDIN", {}, {});
  ASSERT_FALSE(copied.ok());
  EXPECT_NE(copied.error().text().find("few_n_check"), std::string::npos) << copied.error().text();
  std::stop_source stop;
  stop.request_stop();
  auto third = open("copy"), fourth = open("live");
  auto stopped = copy_rows(*third, "COPY t_restored TO STDOUT", *fourth, "COPY few FROM STDIN",
                           stop.get_token(), {});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(live("SELECT count(*) FROM few"), "0");
}

TEST(TableName, IsReadByTheRulesOfSql) {
  EXPECT_EQ(parse_table_name("Orders").take(), (TableName{"public", "orders"}));
  EXPECT_EQ(parse_table_name("shop.Orders").take(), (TableName{"shop", "orders"}));
  EXPECT_EQ(parse_table_name("\"Shop\".\"a.\"\"b\"").take(), (TableName{"Shop", "a.\"b"}));
  for (const char* bad : {"", ".", "a.", ".a", "a.b.c", "\"a", "\"\"", "\"a\"b", "a\"b\""})
    EXPECT_FALSE(parse_table_name(bad).ok()) << bad;
  EXPECT_FALSE(parse_table_name(std::string(64, 'x')).ok());
  EXPECT_EQ(name_with_suffix("orders", "_restored"), "orders_restored");
  auto euros = std::string();
  for (int i = 0; i < 21; ++i) euros += "\xe2\x82\xac";
  EXPECT_EQ(name_with_suffix(euros, "_restored").size(), 54u + 9u);
  EXPECT_EQ(name_with_suffix(euros, "_again").size(), 57u + 6u);
}

TEST(TableRescueScript, LinesForPsqlAloneAreTakenOut) {
  EXPECT_EQ(without_psql_commands("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n"),
            "SELECT 1;\n\n");
}

}  // namespace
}  // namespace lb::pg
