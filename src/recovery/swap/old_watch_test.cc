#include "recovery/swap/old_watch.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/scripted_http.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/postgres_server.h"

namespace lb::swap {
namespace {

constexpr Micros window = std::chrono::milliseconds(200), soon = std::chrono::milliseconds(300);

class OldWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
    // Statistics that the server gathers by itself are written, too.
    server_ = test::PostgresServer::start({.settings = {{"autovacuum", "off"}}});
    server_->sql("CREATE TABLE t (n int); CREATE SEQUENCE s");
    conninfo_ = std::make_unique<Secret>(server_->conninfo());
  }
  OldWrites watch() { return watch_old_writes(world_.world, *conninfo_, window, {}).take(); }

  pg::TestWorld world_;
  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<Secret> conninfo_;
};

TEST_F(OldWatchTest, AServerThatIsOnlyReadIsStill) {
  auto reader = server_->start_tool({"pgbench", "-n", "-S", "-T", "60", "postgres"});
  auto still = prove_old_is_still(world_.world, *conninfo_, window, soon, {});
  reader->kill_with_children();
  ASSERT_TRUE(still.ok()) << still.error().text();
  EXPECT_TRUE(still->none());
}

TEST_F(OldWatchTest, WhoWritesIsNamed) {
  test::TempDir folder;
  auto writer = server_->start_tool({"psql", "-c",
                                     "DO $$ BEGIN LOOP INSERT INTO t VALUES (1); COMMIT;"
                                     " PERFORM pg_sleep(0.01); END LOOP; END $$",
                                     "postgres"});
  while (server_->value("SELECT count(*) > 5 FROM t") != "t") {
  }
  auto writes = watch();
  EXPECT_GT(writes.transactions, 2U);
  EXPECT_EQ(writes.sessions_count, 1U);
  auto still = prove_old_is_still(world_.world, *conninfo_, window, soon, {});
  ASSERT_FALSE(still.ok());
  EXPECT_EQ(still.error().kind(), ErrorKind::conflict);
  EXPECT_NE(still.error().message().find("postgres@local postgres (psql)"), std::string::npos)
      << still.error().message();
  writer->kill_with_children();
}

TEST_F(OldWatchTest, AnOpenTransactionThatWroteIsSeen) {
  auto other = pg::Connection::open(*conninfo_).take();
  ASSERT_TRUE(other->query("BEGIN; INSERT INTO t VALUES (1)").ok());
  auto writes = watch();
  EXPECT_EQ(writes.open, 1U);
  EXPECT_FALSE(writes.none());
  ASSERT_TRUE(other->query("COMMIT").ok());
  EXPECT_TRUE(watch().none());
}

TEST_F(OldWatchTest, AServerThatIsGoneWasNotSeenToBeStill) {
  server_->stop();
  EXPECT_FALSE(prove_old_is_still(world_.world, *conninfo_, window, soon, {}).ok());
  EXPECT_FALSE(prove_database_answers(world_.world, *conninfo_, soon, {}).ok());
}

TEST_F(OldWatchTest, TheNewPlaceTakesWrites) {
  EXPECT_TRUE(prove_database_answers(world_.world, *conninfo_, soon, {}).ok());
  auto standby = test::PostgresServer::standby_of(*server_);
  auto proven = prove_database_answers(world_.world, Secret(standby->conninfo()), soon, {});
  ASSERT_FALSE(proven.ok());
  EXPECT_NE(proven.error().text().find("takes no writes"), std::string::npos);
}

TEST(NewPlace, AUrlAnswersWellOrNotAtAll) {
  pg::TestWorld real;
  int status = 503;
  ScriptedHttp http([&](const HttpRequest&) -> Result<HttpAnswer> {
    HttpAnswer answer;
    answer.status = status;
    return answer;
  });
  World world{*real.clock, *real.random, *real.files, http, *real.processes, real.sandboxes};
  auto proven = prove_url_answers(world, "http://app/health", soon, {});
  ASSERT_FALSE(proven.ok());
  EXPECT_NE(proven.error().text().find("answers 503"), std::string::npos);
  status = 204;
  EXPECT_TRUE(prove_url_answers(world, "http://app/health", soon, {}).ok());
}

}  // namespace
}  // namespace lb::swap
