// The streaming itself is tried by the program's own tests; here is what needs no copy.
#include "stores/postgres/database_rescue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

TEST(DatabaseRescue, ProgramsGetTheConnectionByTheirEnvironment) {
  auto environment =
      connection_environment(
          Secret(std::string_view("postgresql://me:pass%20word@db.example:6543/shop?sslmode=require"
                                  "&connect_timeout=7")))
          .take();
  auto has = [&](const std::string& name, const std::string& value) {
    return std::find(environment.begin(), environment.end(), std::pair(name, value)) !=
           environment.end();
  };
  EXPECT_TRUE(has("PGUSER", "me"));
  EXPECT_TRUE(has("PGPASSWORD", "pass word"));
  EXPECT_TRUE(has("PGHOST", "db.example"));
  EXPECT_TRUE(has("PGPORT", "6543"));
  EXPECT_TRUE(has("PGSSLMODE", "require"));
  EXPECT_TRUE(has("PGCONNECT_TIMEOUT", "7"));
  EXPECT_FALSE(has("PGDATABASE", "shop")) << "which one is said apart";
  EXPECT_FALSE(connection_environment(Secret(std::string_view("host='"))).ok());
}

TEST(DatabaseRescue, TheSameServerIsReachedByAnotherDatabase) {
  auto text = [](std::string_view conninfo, const char* database) {
    return std::string(conninfo_to(Secret(conninfo), database).take().reveal());
  };
  EXPECT_EQ(text("postgresql://me:pass%20word@db.example:6543/shop", "it's"),
            "dbname='it\\'s' user='me' password='pass word' host='db.example' port='6543'");
  EXPECT_EQ(text("host=/run dbname=shop", "other"), "dbname='other' host='/run'");
  EXPECT_FALSE(conninfo_to(Secret(std::string_view("host='")), "x").ok());
}

TEST(DatabaseRescue, ATargetThatCannotTakeItIsRefusedBeforehand) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = test::PostgresServer::start();
  server->sql("CREATE DATABASE shop");
  server->sql("CREATE DATABASE half_unfinished");
  server->make_role("weak", "weak-pw");
  auto check = [&](const std::string& conninfo, const std::string& as) {
    auto target = Connection::open(Secret(conninfo)).take();
    auto done = check_database_target(*target, {"shop", as});
    return done.ok() ? ExitCode::ok : done.error().exit_code();
  };
  EXPECT_EQ(check(server->conninfo(), "fresh"), ExitCode::ok);
  EXPECT_EQ(check(server->conninfo(), "shop"), ExitCode::refused);
  EXPECT_EQ(check(server->conninfo(), "half"), ExitCode::refused) << "left by a killed one";
  EXPECT_EQ(check(server->conninfo(), std::string(60, 'x')), ExitCode::usage);
  EXPECT_EQ(check(server->conninfo_as("weak", "weak-pw"), "fresh"), ExitCode::target_unreachable);
  auto standby = test::PostgresServer::standby_of(*server);
  EXPECT_EQ(check(standby->conninfo(), "fresh"), ExitCode::refused);
}

}  // namespace
}  // namespace lb::pg
