// NotesBoat: a throwaway PostgreSQL with a table in a tablespace of its own, and its first point.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/restored_server.h"

namespace lb::test {

class NotesBoat : public testing::Test {
 protected:
  NotesBoat() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    std::filesystem::create_directories(server->folder() + "/space");
    give_to_server_user(server->folder() + "/space");
    server->sql("CREATE TABLESPACE roomy LOCATION '" + server->folder() + "/space'");
    server->sql("CREATE TABLE notes (id bigint PRIMARY KEY, body text)");
    server->sql("CREATE TABLE far (n int) TABLESPACE roomy");
    server->sql(
        "INSERT INTO notes SELECT n, repeat(md5(n::text), 12) FROM generate_series(1, 30000) n");
    server->sql("INSERT INTO far SELECT n FROM generate_series(1, 50000) n");
    boat.environment()["DB"] = server->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, every: daily 02:00}\n");
    boat.must({"init"});
    boat.must({"backup"});
  }

  std::string sums(const std::string& folder) {
    return ask_restored(folder,
                        "SELECT (SELECT count(*) || ' ' || sum(hashtext(body)) FROM notes), "
                        "(SELECT count(*) || ' ' || sum(n) FROM far)");
  }
  std::string live_sums() const {
    return server->value(
        "SELECT (SELECT count(*) || ' ' || sum(hashtext(body)) FROM notes) || '|' || "
        "(SELECT count(*) || ' ' || sum(n) FROM far)");
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

}  // namespace lb::test
