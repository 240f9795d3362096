#include "stores/postgres/connection.h"

#include "foundation/base/text.h"
#include "stores/postgres/pq_error.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {
namespace {

using test::PostgresServer;

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server_ = PostgresServer::start({.tcp = true});
  }
  std::unique_ptr<Connection> open(const ConnectOptions& options = {}) {
    auto opened = Connection::open(Secret(server_->conninfo()), options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return std::move(opened).take();
  }
  std::unique_ptr<PostgresServer> server_;
};

TEST_F(ConnectionTest, GivesRowsNullsColumnsAndTheCommand) {
  auto connection = open();
  const auto got =
      connection->query("SELECT 1 AS a, NULL AS b, '' AS c UNION ALL SELECT 2, 'x', 'y'");
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->columns, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(got->rows.size(), 2u);
  EXPECT_EQ(got->rows[0][0], "1");
  EXPECT_EQ(got->rows[0][1], std::nullopt);
  EXPECT_EQ(got->rows[0][2], "");
  EXPECT_EQ(got->command, "SELECT 2");
  EXPECT_GE(connection->server_version(), 130000);
}

TEST_F(ConnectionTest, PassesParametersAsText) {
  auto connection = open();
  const std::string nasty = "'; DROP TABLE x; -- \\";
  const auto got = connection->query("SELECT $1::text", std::vector<std::string>{nasty});
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->rows[0][0], nasty);
  const auto quoted =
      connection->query("SELECT " + quote_literal(nasty) + " AS " + quote_name("a\"b"));
  ASSERT_TRUE(quoted.ok()) << quoted.error().text();
  EXPECT_EQ(quoted->rows[0][0], nasty);
  EXPECT_EQ(quoted->columns[0], "a\"b");
}

TEST_F(ConnectionTest, AFailedStatementLeavesTheConnectionUsable) {
  auto connection = open();
  const auto failed = connection->query("SELECT 1; SELECT 1/0; SELECT 2");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().native(), "SQLSTATE 22012");
  EXPECT_NE(failed.error().text().find("division by zero"), std::string::npos);
  const auto many = connection->query("SELECT generate_series(1, 1000000)", 10);
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().kind(), ErrorKind::exhausted);
  EXPECT_TRUE(connection->query("SELECT 1").ok());
}

TEST_F(ConnectionTest, RowsAreTakenOneByOneUntilTheFirstError) {
  auto connection = open();
  int rows = 0;
  const auto take = [&](const QueryRow& row) -> Status {
    EXPECT_EQ(row, (QueryRow{cat(++rows), std::nullopt}));
    return {};
  };
  const char* many = "SELECT n, NULL FROM generate_series(1, $1::int) n";
  ASSERT_TRUE(connection->each_row(many, {"1000001"}, take).ok()) << "more than a table may have";
  EXPECT_EQ(rows, 1000001);
  const auto refuse = [&](const QueryRow&) -> Status {
    return --rows > 1000000 ? Status() : Error(ErrorKind::conflict, "not this one");
  };
  const Status refused = connection->each_row(many, {"100000000"}, refuse);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
  EXPECT_EQ(rows, 1000000) << "nothing is given after an error";
  EXPECT_FALSE(connection->each_row("SELECT 1/$1::int", {"0"}, take).ok());
  EXPECT_TRUE(connection->query("SELECT 1").ok());
}

TEST_F(ConnectionTest, AStatementLimitIsATimeout) {
  auto connection = open({.statement_limit = Micros(50000)});
  const auto slow = connection->query("SELECT pg_sleep(600)");
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().kind(), ErrorKind::timeout);
}

TEST_F(ConnectionTest, AServerWithoutTheRunMarkerIsRefused) {
  const ConnectOptions options{.require_run_marker = "run-7"};
  const auto refused = Connection::open(Secret(server_->conninfo()), options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().exit_code(), ExitCode::refused);
  server_->set("lifeboat.run", "run-7");
  server_->reload();
  while (server_->value("SELECT current_setting('lifeboat.run', true)") != "run-7") {
  }
  EXPECT_TRUE(Connection::open(Secret(server_->conninfo()), options).ok());
}

TEST_F(ConnectionTest, AWrongPasswordIsNamedAndNeverRepeated) {
  server_->make_role("app", "right");
  const auto wrong = Connection::open(Secret(server_->conninfo_as("app", "s3cret-wrong")));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().kind(), ErrorKind::denied);
  EXPECT_EQ(wrong.error().exit_code(), ExitCode::store_unreachable);
  EXPECT_EQ(wrong.error().native(), "SQLSTATE 28P01");
  EXPECT_NE(wrong.error().text().find("password authentication failed"), std::string::npos);
  EXPECT_EQ(wrong.error().text().find("s3cret"), std::string::npos);
  EXPECT_EQ(wrong.error().text().find("LOCATION"), std::string::npos);
  EXPECT_TRUE(Connection::open(Secret(server_->conninfo_as("app", "right"))).ok());
}

TEST_F(ConnectionTest, AMissingReplicationPrivilegeIsDenied) {
  server_->make_role("app", "pw");
  const auto denied =
      Connection::open(Secret(server_->conninfo_as("app", "pw")), {.replication = true});
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().kind(), ErrorKind::denied);
  EXPECT_EQ(denied.error().exit_code(), ExitCode::store_unreachable);
}

TEST_F(ConnectionTest, AMissingDatabaseAndAStoppedServerAreTold) {
  const auto missing = Connection::open(Secret(server_->conninfo("nowhere")));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  server_->stop();
  const auto down = Connection::open(Secret(server_->conninfo()));
  ASSERT_FALSE(down.ok());
  EXPECT_EQ(down.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(down.error().exit_code(), ExitCode::store_unreachable);
  EXPECT_FALSE(down.error().hint().empty());
}

TEST(ConnectionString, AMalformedOneIsNotRepeated) {
  for (const char* text : {"", "postgres", "host=x password", "postgresql://u:s3cret@h:bad:port/",
                           "host=localhost s3cret"}) {
    const auto opened = Connection::open(Secret(std::string_view(text)));
    ASSERT_FALSE(opened.ok()) << text;
    EXPECT_EQ(opened.error().exit_code(), ExitCode::store_unreachable) << text;
    EXPECT_EQ(opened.error().text().find("s3cret"), std::string::npos);
  }
}

TEST(ServerMessage, TakesTheStateOutOfTheVerboseForm) {
  const ServerMessage message = read_server_message(
      "connection to server at \"x\", port 1 failed: FATAL:  28P01: password authentication "
      "failed\n"
      "LOCATION:  auth_failed, auth.c:335\n");
  EXPECT_EQ(message.sqlstate, "28P01");
  EXPECT_EQ(message.text,
            "connection to server at \"x\", port 1 failed: password authentication failed");
  EXPECT_EQ(read_server_message("ERROR:  plain words\n").sqlstate, "");
  EXPECT_EQ(read_server_message("FATAL:  28P0").text, "28P0");
  EXPECT_EQ(read_server_message("").text, "");
}

}  // namespace
}  // namespace lb::pg
