// The program on servers of the other major versions: back to a moment by the stream, and by the
// archive; and a database of one major version carried into a server of a newer one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/integration/archiving.h"
#include "tests/integration/restored_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* digest =
    "SELECT count(*) || ' ' || sum(id) || ' ' || md5(string_agg(body, '' ORDER BY id)) FROM notes";
// Fails when an index and its table do not agree.
constexpr const char* check_indexes =
    "SELECT count(bt_index_check(i.indexrelid, true)::text) FROM pg_index i JOIN pg_class c ON "
    "c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND "
    "c.relpersistence = 'p'";

class MajorsCli : public testing::TestWithParam<int> {
 protected:
  MajorsCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing(GetParam())) GTEST_SKIP() << *reason;
    boat.environment()["LIFEBOAT_POSTGRES"] = PostgresServer::majors_folder();
  }
  void start(PostgresOptions options) {
    options.major = GetParam();
    server = PostgresServer::start(options);
    ASSERT_EQ(server->value("SHOW server_version_num").substr(0, 2), std::to_string(GetParam()));
    server->sql("CREATE EXTENSION amcheck");
    server->sql(
        "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " body text)");
    write(2000);
    boat.environment()["DB"] = server->conninfo();
  }
  void write(int rows) {
    server->sql("INSERT INTO notes (body) SELECT md5(n::text) FROM generate_series(1, " +
                std::to_string(rows) + ") n");
  }
  std::string asked(const std::string& folder, const std::string& sql) {
    return ask_restored(folder, sql, {}, PostgresServer::binaries_of(GetParam()));
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
};

TEST_P(MajorsCli, AStreamBringsAMomentBack) {
  start({});
  boat.write_plan("stores:\n  db: {postgres: env:DB, log: continuous, every: hourly}\n");
  boat.must({"init"});
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  wait_for([&] { return stream->err_so_far().find("durable to") != std::string::npos; });
  write(500);
  const auto expected = server->value(digest);
  const auto moment = server->value(
      "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
  server->sql("DELETE FROM notes WHERE id % 3 = 0");
  server->sql("DROP TABLE IF EXISTS none; CREATE TABLE after_all (i int)");
  const auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
  wait_for([&] {
    const auto text = stream->err_so_far();
    const auto at = text.rfind("durable to ") + 11;
    const auto durable = text.substr(at, text.find_first_of(",\n", at) - at);
    return server->value("SELECT '" + durable + "'::pg_lsn >= '" + lsn + "'::pg_lsn") == "t";
  });
  server->stop(StopMode::kill);
  stream->signal(SIGTERM);
  stream->wait();
  boat.must({"restore", "db", "--to", boat / "then", "--at", moment});
  EXPECT_EQ(asked(boat / "then", digest), expected);
  EXPECT_EQ(asked(boat / "then", "SELECT to_regclass('after_all') IS NULL"), "t");
  EXPECT_GT(std::stoi(asked(boat / "then", check_indexes)), 50);
  boat.must({"restore", "db", "--to", boat / "newest"});
  EXPECT_EQ(asked(boat / "newest", "SELECT count(*) FROM after_all"), "0");
}

TEST_P(MajorsCli, WhatWasPushedIsFetchedByAServerThatRecovers) {
  TempDir tools;
  Lifeboat owner(as_server_user(tools, LIFEBOAT_BINARY));
  const auto command = [&](const std::string& verb, const std::string& words) {
    return "env LIFEBOAT_KEY=\"correct horse battery\" LIFEBOAT_STATE=" + (owner / "server") +
           " DB=unused " + LIFEBOAT_BINARY + " wal " + verb + " --plan " +
           (owner / "lifeboat.yaml") + " --store db " + words;
  };
  start({.segment_mib = 1,
         .settings = {{"archive_mode", "on"}, {"archive_command", command("push", "%p")}}});
  owner.environment()["DB"] = server->conninfo();
  owner.write_plan("stores:\n  db: {postgres: env:DB, every: hourly}\n");
  give_to_server_user(owner.folder());
  owner.must({"init"});
  server->stop();
  const auto base = tools / "base";
  fs::copy(server->data(), base, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  ASSERT_EQ(::system(("chown -R --reference=" + server->data() + " " + base).c_str()), 0);
  fs::permissions(base, fs::perms::owner_all);
  server->start_again();
  write(20000);
  const auto expected = server->value(digest);
  const auto name = server->value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
  server->sql("SELECT pg_switch_wal()");
  wait_for([&] {
    return server->value("SELECT coalesce(last_archived_wal, '') >= '" + name +
                         "' FROM pg_stat_archiver") == "t";
  });
  std::ofstream(base + "/postgresql.auto.conf", std::ios::app)
      << "restore_command = '" << command("fetch", "%f %p") << "'\narchive_mode = off\n"
      << "hot_standby = off\n";
  std::ofstream(base + "/recovery.signal").flush();
  give_to_server_user(base + "/recovery.signal");
  EXPECT_EQ(asked(base, digest), expected);
  for (const auto pid : processes_with(owner / "lifeboat.yaml")) ::kill(pid, SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Postgres, MajorsCli, testing::Values(13, 14, 16, 17, 18),
                         [](const auto& each) { return std::to_string(each.param); });

struct Carry {
  int from, into;
};

class CarryCli : public testing::TestWithParam<Carry> {
 protected:
  CarryCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    for (const int major : {GetParam().from, GetParam().into}) {
      if (const auto reason = PostgresServer::missing(major)) GTEST_SKIP() << *reason;
    }
    boat.environment()["LIFEBOAT_POSTGRES"] = PostgresServer::majors_folder();
    source = PostgresServer::start({.major = GetParam().from});
    target = PostgresServer::start({.major = GetParam().into});
    boat.environment()["DB"] = source->conninfo();
    boat.environment()["INTO"] = target->conninfo();
    boat.write_plan("stores:\n  db: {postgres: env:DB, every: hourly}\n");
    boat.must({"init"});
  }
  void make_shop() {
    for (auto* server : {source.get(), target.get()}) {
      server->sql("CREATE ROLE keeper; CREATE ROLE reader");
      server->sql("CREATE DATABASE shop OWNER keeper");
    }
    source->sql(
        "CREATE EXTENSION pg_trgm; CREATE SEQUENCE numbers START 40;"
        "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " body text NOT NULL DEFAULT 'x', more jsonb, CHECK (id > 0));"
        "CREATE TABLE lines (note bigint REFERENCES notes, n int DEFAULT nextval('numbers'));"
        "CREATE INDEX ON notes USING gin (body gin_trgm_ops);"
        "CREATE VIEW short AS SELECT id, left(body, 3) AS head FROM notes;"
        "CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT 2 * i';"
        "INSERT INTO notes (body) SELECT repeat(md5(i::text), 1 + i % 90)"
        " FROM generate_series(1, 3000) i;"
        "INSERT INTO lines (note) SELECT id FROM notes;"
        "SELECT lo_from_bytea(4711, decode(repeat('c0ffee', 9000), 'hex'));"
        "ALTER LARGE OBJECT 4711 OWNER TO keeper;"
        "ALTER TABLE notes OWNER TO keeper; GRANT SELECT, INSERT ON notes TO reader;"
        "GRANT UPDATE (body) ON notes TO reader; GRANT USAGE ON SEQUENCE numbers TO reader",
        "shop");
    target->sql("CREATE TABLE worse (i int)", "shop");
  }
  // What both sides must say alike.
  void expect_same_shop(const std::string& database) {
    for (const char* sql :
         {"SELECT count(*), md5(string_agg(id || body, '' ORDER BY id)) FROM notes",
          "SELECT count(*), sum(n), sum(note) FROM lines",
          "SELECT last_value, is_called FROM numbers",
          "SELECT last_value, is_called FROM notes_id_seq", "SELECT md5(lo_get(4711))",
          "SELECT oid, lomowner::regrole FROM pg_largeobject_metadata",
          "SELECT relname, relkind, relowner::regrole FROM pg_class"
          " WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
          "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants"
          " WHERE table_schema = 'public' AND privilege_type <> 'MAINTAIN' ORDER BY 1, 2, 3",
          "SELECT grantee, column_name, privilege_type FROM information_schema.column_privileges"
          " WHERE table_name = 'notes' ORDER BY 1, 2, 3",
          "SELECT extname FROM pg_extension ORDER BY 1",
          "SELECT table_name, column_name, data_type, column_default, is_nullable, is_identity"
          " FROM information_schema.columns WHERE table_schema = 'public'"
          " ORDER BY 1, ordinal_position",
          "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
          "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
          " WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1",
          "SELECT twice(4), (SELECT head FROM short WHERE id = 7)"}) {
      EXPECT_EQ(target->rows(sql, database), source->rows(sql, "shop")) << sql;
    }
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> source, target;
};

TEST_P(CarryCli, ADatabaseIsCarriedIntoANewerServer) {
  make_shop();
  boat.must({"backup"});
  boat.must({"restore", "db", "--database", "shop", "--into", "env:INTO", "--as", "beside"});
  expect_same_shop("beside");
  boat.must({"restore", "db", "--database", "shop", "--into", "env:INTO", "--how",
             "beside-then-swap", "--confirm", "test"});
  expect_same_shop("shop");
  EXPECT_EQ(target->value("SELECT rolname FROM pg_database JOIN pg_roles r ON r.oid = datdba"
                          " WHERE datname = 'shop'"),
            "keeper");

  // Nor is it carried back into an older one.
  boat.environment()["DB"] = target->conninfo();
  boat.environment()["INTO"] = source->conninfo();
  boat.write_plan("stores:\n  up: {postgres: env:DB, every: hourly}\n");
  boat.must({"backup", "up"});
  const auto down = boat.run({"restore", "up", "--database", "shop", "--into", "env:INTO"});
  EXPECT_EQ(down.exit_code, 5) << down.err;
  EXPECT_NE(down.err.find("not carried to an older one"), std::string::npos) << down.err;
  EXPECT_EQ(source->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
  boat.environment()["DB"] = source->conninfo();
  boat.write_plan("stores:\n  db: {postgres: env:DB, every: hourly}\n");

  // Physical files are of no use to the other major version: said before the first byte.
  target->stop();
  const auto control = read_text(target->data() + "/global/pg_control");
  const auto delta =
      boat.run({"restore", "db", "--to", target->data(), "--delta", "--confirm", "test"});
  EXPECT_EQ(delta.exit_code, 5) << delta.err;
  EXPECT_NE(delta.err.find("is a data directory of PostgreSQL " + std::to_string(GetParam().into)),
            std::string::npos)
      << delta.err;
  EXPECT_EQ(read_text(target->data() + "/global/pg_control"), control);
  target->start_again();
  expect_same_shop("shop");
}

INSTANTIATE_TEST_SUITE_P(Postgres, CarryCli, testing::Values(Carry{15, 17}, Carry{13, 18}),
                         [](const auto& each) {
                           return std::to_string(each.param.from) + "to" +
                                  std::to_string(each.param.into);
                         });

}  // namespace
}  // namespace lb::test
