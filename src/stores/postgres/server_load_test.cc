#include "stores/postgres/server_load.h"

#include <gtest/gtest.h>

#include <thread>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

// Three connections for everybody, two more for superusers.
class ServerLoads : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start(
        {.tcp = true,
         .max_wal_senders = 1,
         .settings = {{"max_connections", "5"}, {"superuser_reserved_connections", "2"}}});
    server->make_role("app", "word");
    server->make_role("seer", "word", "IN ROLE pg_read_all_stats");
  }
  ServerLoad load(const std::string& role, Micros slow_after = Seconds(60)) const {
    auto read = read_server_load(Secret(server->conninfo_as(role, "word")), slow_after);
    EXPECT_TRUE(read.ok()) << read.error().text();
    return read.ok() ? *read : ServerLoad{};
  }
  // The session that asked before may still be leaving, and take the last place.
  ServerLoad load_with_room(const std::string& role, Micros slow_after) const {
    for (;;) {
      auto seen = load(role, slow_after);
      if (!seen.full) return seen;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  std::unique_ptr<Connection> session(const std::string& name = "shop") const {
    ConnectOptions options;
    options.application_name = name;
    auto opened = Connection::open(Secret(server->conninfo_as("app", "word")), options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(opened).take() : nullptr;
  }
  // Sessions that are over leave the list a moment later.
  void wait_for_connections(std::uint64_t count) const {
    while (load("seer").connections != count)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  std::unique_ptr<PostgresServer> server;
};

TEST_F(ServerLoads, CountsTheConnectionsOfOthersAgainstWhatIsForAll) {
  wait_for_connections(0);
  EXPECT_EQ(load("seer").connections_max, 3U);
  const auto one = session();
  wait_for_connections(1);
  const auto seen = load("app");
  EXPECT_EQ(seen.connections, 1U) << "for that no right is needed";
  EXPECT_DOUBLE_EQ(seen.connections_share(), 1.0 / 3);
}

TEST_F(ServerLoads, WhoCannotGetInKnowsThatItIsFull) {
  wait_for_connections(0);
  const auto one = session(), two = session(), three = session();
  const auto seen = load("app");
  EXPECT_TRUE(seen.full);
  EXPECT_DOUBLE_EQ(seen.connections_share(), 1);
  EXPECT_FALSE(seen.slow);
  EXPECT_NE(seen.slow_unknown.find("no more connections"), std::string::npos);
}

TEST_F(ServerLoads, StatementsThatTakeLongAreCountedAndLifeboatsOwnAreNot) {
  auto slow = session(), own = session("lifeboat backup");
  std::thread first([&] { (void)slow->query("SELECT pg_sleep(600)"); });
  std::thread second([&] { (void)own->query("SELECT pg_sleep(600)"); });
  const auto sleeping = [&](const std::string& name) {
    return server->value(cat("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' ",
                             "AND state = 'active' AND application_name = '", name, "'")) == "1";
  };
  while (!sleeping("shop") || !sleeping("lifeboat backup"))
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(load_with_room("seer", Micros(1)).slow, 1U);
  EXPECT_EQ(load_with_room("seer", std::chrono::hours(1)).slow, 0U);
  const auto blind = load_with_room("app", Micros(1));
  EXPECT_FALSE(blind.slow) << "what others do it may not see: that is not none";
  EXPECT_NE(blind.slow_unknown.find("GRANT pg_read_all_stats TO \"app\""), std::string::npos)
      << blind.slow_unknown;
  server->sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE "
      "'SELECT pg_sleep%'");
  first.join();
  second.join();
  EXPECT_EQ(load_with_room("seer", Micros(1)).slow, 0U);
}

TEST_F(ServerLoads, AServerThatIsAwayIsNoIdleOne) {
  server->stop();
  auto read = read_server_load(Secret(server->conninfo_as("app", "word")), Seconds(60));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace lb::pg
