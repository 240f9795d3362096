#include "stores/postgres/damage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/fingerprint_testing.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/snapshot_details.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using Kind = TableDifference::Kind;
using Lines = std::vector<std::string>;

class ServerDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = test::PostgresServer::start();
    server->sql("CREATE DATABASE shop");
    server->sql("CREATE DATABASE other");
    sql("CREATE TABLE orders AS SELECT n FROM generate_series(1, 500) n");
    sql("CREATE TABLE items AS SELECT n FROM generate_series(1, 70) n");
    sql("CREATE SCHEMA \"a b\"; CREATE TABLE \"a b\".\"Odd\" AS SELECT 1 AS x");
    sql("CREATE UNLOGGED TABLE cache AS SELECT 1 AS x");
    sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    record();
  }
  void sql(const std::string& text) { server->sql(text, "shop"); }
  void record() {
    auto print = take_fingerprint(
        Secret(server->conninfo()),
        server->value("SELECT system_identifier FROM pg_control_system()"), *clock, nullptr, {});
    ASSERT_TRUE(print.ok()) << print.error().text();
    put(text_of(*print));
  }
  void put(const std::string& fingerprint) {
    auto writer = repository.begin("db", nullptr, {}).take();
    bool recorded = !fingerprint.empty();
    auto attached =
        recorded ? writer->attach(attachment_fingerprint, view_of(fingerprint)) : Status();
    ASSERT_TRUE(attached.ok());
    snapshot = repository.snapshot(writer->commit({}).take().id).take();
  }
  Result<ServerDamage> try_assess(const std::string& conninfo) {
    told.clear();
    auto sink = [&](const TableDifference& one) -> Status {
      static const Lines words = {
          "missing",          "extra",          "fewer",  "more", "estimated", "unseen",
          "database_missing", "database_extra", "catalog"};
      auto number = [](const auto& rows) { return rows ? cat(*rows) : std::string("?"); };
      auto rows =
          one.kind == Kind::catalog ? one.why : cat(number(one.recorded), " ", number(one.rows));
      told.push_back(cat(words.at(static_cast<std::size_t>(one.kind)), " ", one.table(), " ", rows,
                         one.rewritten ? " rewritten" : ""));
      why = one.why;
      return {};
    };
    return assess_server(*snapshot, Secret(conninfo), *clock, limits, sink, {});
  }
  ServerDamage assess() {
    auto out = try_assess(server->conninfo("shop"));
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() ? *out : ServerDamage();
  }

  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<test::PostgresServer> server;
  MemoryRepository repository;
  std::unique_ptr<repo::SnapshotReader> snapshot;
  CountLimits limits;
  Lines told;
  std::string why;
};

TEST_F(ServerDamageTest, NothingDiffersRightAfterThePoint) {
  auto damage = assess();
  EXPECT_EQ(told, Lines{});
  EXPECT_EQ(damage.equal, 4u);
  EXPECT_FALSE(damage.other_system);
}

TEST_F(ServerDamageTest, TellsWhatIsMissingFewerMoreAndExtra) {
  sql("DELETE FROM orders WHERE n > 20");
  sql("DROP TABLE \"a b\".\"Odd\"; DROP FUNCTION f()");
  sql("INSERT INTO items VALUES (71); CREATE TABLE ransom AS SELECT 'pay' AS note");
  server->sql("DROP DATABASE other");
  server->sql("CREATE DATABASE fresh");
  auto damage = assess();
  EXPECT_EQ(told, (Lines{"database_missing other 0 ?", "missing shop a b.Odd 1 ?",
                         "more shop public.items 70 71", "fewer shop public.orders 500 20",
                         "extra shop public.ransom ? ?", "catalog shop 0 functions instead of 1",
                         "database_extra fresh ? ?"}));
  EXPECT_EQ(damage.missing, 1u);
  EXPECT_EQ(damage.fewer, 1u);
  EXPECT_EQ(damage.more, 1u);
  EXPECT_EQ(damage.extra, 1u);
  EXPECT_EQ(damage.rows_missing, 481u);
  EXPECT_EQ(damage.databases_missing, 1u);
  EXPECT_EQ(damage.databases_extra, 1u);
}

TEST_F(ServerDamageTest, AnEmptiedTableIsAlsoToldToBeRewritten) {
  sql("TRUNCATE orders");
  (void)assess();
  EXPECT_EQ(told, Lines{"fewer shop public.orders 500 0 rewritten"});
}

TEST_F(ServerDamageTest, WhatCannotBeCountedInTimeIsEstimatedAndSaidToBe) {
  sql("ANALYZE");
  limits.whole = Micros(0);
  auto damage = assess();
  EXPECT_EQ(damage.estimated, 3u);
  EXPECT_EQ(damage.equal, 1u) << "of an unlogged table only that it is there counts";
  EXPECT_EQ(told.back(), "estimated shop public.orders 500 500");
  EXPECT_EQ(why, "the time for counting was used up");
}

TEST_F(ServerDamageTest, ItWaitsForNoLockAndTakesNone) {
  auto holder = Connection::open(Secret(server->conninfo("shop"))).take();
  ASSERT_TRUE(holder->query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").ok());
  limits.lock = std::chrono::milliseconds(50);
  auto damage = assess();
  EXPECT_EQ(damage.estimated, 1u);
  EXPECT_EQ(damage.equal, 3u);
  EXPECT_EQ(why, "it is locked");
}

TEST_F(ServerDamageTest, WhatARoleMayNotReadIsUnseenAndNotEqual) {
  server->make_role("reader", "pw");
  auto out = try_assess(server->conninfo_as("reader", "pw", "shop"));
  ASSERT_TRUE(out.ok()) << out.error().text();
  EXPECT_EQ(out->unseen, 3u);
  EXPECT_EQ(out->equal, 1u);
  server->sql("REVOKE CONNECT ON DATABASE other FROM public");
  out = try_assess(server->conninfo_as("reader", "pw", "shop"));
  ASSERT_TRUE(out.ok()) << out.error().text();
  EXPECT_EQ(out->unseen, 4u);
  EXPECT_EQ(out->databases_missing, 0u);
}

// Rows that a role is not shown are not missing.
TEST_F(ServerDamageTest, RowSecurityHidesNothing) {
  server->make_role("tenant", "pw");
  sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant");
  sql("ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
  auto out = try_assess(server->conninfo_as("tenant", "pw", "shop"));
  ASSERT_TRUE(out.ok()) << out.error().text();
  EXPECT_EQ(out->fewer, 0u);
  EXPECT_NE(std::find(told.begin(), told.end(), "unseen shop public.orders 500 ?"), told.end());
}

TEST_F(ServerDamageTest, AServerThatIsDownIsAnError) {
  const auto conninfo = server->conninfo("shop");
  server->stop();
  auto out = try_assess(conninfo);
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().exit_code(), ExitCode::store_unreachable);
  EXPECT_EQ(told, Lines{});
}

TEST_F(ServerDamageTest, AnotherServerIsSaidToBeOne) {
  auto second = test::PostgresServer::start();
  auto out = try_assess(second->conninfo());
  ASSERT_TRUE(out.ok()) << out.error().text();
  EXPECT_TRUE(out->other_system);
  EXPECT_EQ(out->databases_missing, 2u);
}

TEST_F(ServerDamageTest, APointOfWhichNothingWasRecordedCannotBeCompared) {
  put("");
  EXPECT_EQ(try_assess(server->conninfo()).error().kind(), ErrorKind::not_found);
  put("{\"databases\": [");
  EXPECT_FALSE(try_assess(server->conninfo()).ok());
}

TEST_F(ServerDamageTest, MoreTablesThanAPageHoldsAreAllSeen) {
  sql("DO $$ BEGIN FOR n IN 1..1100 LOOP EXECUTE 'CREATE TABLE t' || n || ' ()'; END LOOP; END $$");
  record();
  sql("DROP TABLE t1000, t7");
  auto damage = assess();
  EXPECT_EQ(told, (Lines{"missing shop public.t1000 0 ?", "missing shop public.t7 0 ?"}));
  EXPECT_EQ(damage.equal, 1102u);
}

}  // namespace
}  // namespace lb::pg
