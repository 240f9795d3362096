#include "stores/postgres/server_preflight.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

ServerNeeds needs_of(int version) {
  ServerNeeds out;
  out.server_version = version;
  out.database = "shop";
  return out;
}

class ServerPreflight : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
    server_ = test::PostgresServer::start();
    server_->sql("CREATE DATABASE shop");
    connection_ = open(server_->conninfo("shop"));
  }
  static std::unique_ptr<Connection> open(const std::string& conninfo) {
    return Connection::open(Secret(conninfo)).take();
  }
  RealWorld real_;
  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ServerPreflight, AnOlderMajorIsRefusedAndANewerTaken) {
  auto there = connection_->server_version();
  auto same = check_version(*real_.files, needs_of(there), there);
  EXPECT_TRUE(same.ok) << same.text;
  auto older = check_version(*real_.files, needs_of(there), there - 10000);
  EXPECT_FALSE(older.ok);
  EXPECT_NE(older.text.find("not carried to an older one"), std::string::npos) << older.text;
  EXPECT_NE(older.hint.find(cat("PostgreSQL ", there / 10000)), std::string::npos);
}

TEST_F(ServerPreflight, ProgramsThatCannotWriteTheDumpAreMissed) {
  auto found = check_version(*real_.files, needs_of(990001), 990001);
  EXPECT_FALSE(found.ok);
  EXPECT_NE(found.text.find("no pg_dump"), std::string::npos) << found.text;
}

TEST_F(ServerPreflight, ExtensionsAndRolesThatTheServerLacksAreNamed) {
  auto needs = needs_of(connection_->server_version());
  needs.extensions = {"plpgsql", "nowhere_installed"};
  needs.roles = {"postgres", "keeper"};
  auto extensions = check_server_extensions(*connection_, needs).take();
  EXPECT_FALSE(extensions.ok);
  EXPECT_EQ(extensions.text, "the server lacks nowhere_installed");
  auto roles = check_server_roles(*connection_, needs).take();
  EXPECT_FALSE(roles.ok);
  EXPECT_NE(roles.text.find("lacks keeper,"), std::string::npos) << roles.text;
  server_->sql("CREATE ROLE keeper");
  EXPECT_TRUE(check_server_roles(*connection_, needs).take().ok);
}

TEST_F(ServerPreflight, APointThatDoesNotSayIsNoGoodNews) {
  auto needs = needs_of(connection_->server_version());
  EXPECT_FALSE(check_server_extensions(*connection_, needs).ok());
  EXPECT_FALSE(check_server_roles(*connection_, needs).ok());
}

TEST_F(ServerPreflight, OneServerIsKnownFromAnotherAndWhatMayBeDoneThereIsSaid) {
  auto here = server_place(*connection_).take();
  EXPECT_EQ(here.database, "shop");
  EXPECT_TRUE(here.may_create);
  EXPECT_FALSE(here.in_recovery);
  EXPECT_FALSE(here.read_only);
  auto again = server_place(*open(server_->conninfo())).take();
  EXPECT_TRUE(here.same_server(again));
  // Times are written in as many ways as there are roles and databases.
  server_->sql("CREATE DATABASE far");
  server_->sql("ALTER DATABASE far SET timezone TO 'Asia/Tokyo'");
  server_->sql("ALTER DATABASE far SET datestyle TO 'German'");
  EXPECT_TRUE(here.same_server(server_place(*open(server_->conninfo("far"))).take()));
  auto standby = test::PostgresServer::standby_of(*server_);
  auto there = server_place(*open(standby->conninfo())).take();
  EXPECT_EQ(here.cluster, there.cluster);
  EXPECT_FALSE(here.same_server(there)) << "of one origin, and yet another";
  EXPECT_TRUE(there.in_recovery);
  server_->make_role("weak", "weak-pw");
  server_->sql("ALTER ROLE weak SET default_transaction_read_only = on");
  auto weak = server_place(*open(server_->conninfo_as("weak", "weak-pw", "shop"))).take();
  EXPECT_FALSE(weak.may_create);
  EXPECT_TRUE(weak.read_only);
  EXPECT_EQ(weak.cluster, here.cluster) << "no superuser is needed to see it";
  server_->sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "shop");
  weak = server_place(*open(server_->conninfo_as("weak", "weak-pw", "shop"))).take();
  EXPECT_EQ(weak.cluster, "");
  EXPECT_TRUE(weak.same_server(here)) << "by the start alone";
}

}  // namespace
}  // namespace lb::pg
