#include "stores/postgres/busy_server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

constexpr std::size_t row_kinds = 12, file_kinds = 14, database_kinds = 6, odd_kinds = 9;
constexpr std::size_t kinds = row_kinds + file_kinds + database_kinds + odd_kinds;

// Every index method of the server on one table.
const std::vector<std::string> indexes = {
    "USING btree (id)",   "USING hash (v)",       "USING gin (words)",
    "USING gist (place)", "USING spgist (place)", "USING brin (id)",
};

}  // namespace

BusyServer::BusyServer(std::uint64_t seed, bool checksums) : random_(seeded_random(seed)) {
  server_ = test::PostgresServer::start({.checksums = checksums,
                                         .segment_mib = 1,
                                         .settings = {{"wal_keep_size", "4GB"},
                                                      {"max_prepared_transactions", "5"},
                                                      {"wal_log_hints", checksums ? "off" : "on"},
                                                      {"autovacuum_naptime", "1s"},
                                                      {"max_wal_size", "40MB"},
                                                      {"min_wal_size", "10MB"},
                                                      {"shared_buffers", "4MB"},
                                                      {"wal_buffers", "1MB"},
                                                      {"wal_writer_delay", "10s"},
                                                      {"bgwriter_lru_maxpages", "0"}}});
  version_ = std::stoi(server_->value("SHOW server_version_num")) / 10000;
  space_ = server_->folder() + "/space";
  std::filesystem::create_directories(space_);
  test::give_to_server_user(space_);
  set_up();
}

void BusyServer::sql(const std::string& text, const std::string& database) {
  server_->sql(text, database);
}

void BusyServer::set_up() {
  sql(cat("CREATE TABLESPACE space LOCATION '", space_, "'"));
  for (const char* name : {"t0", "t1", "t2", "t3"}) {
    sql(cat("CREATE TABLE ", name, " (id int, v text, words int[], place point, big text)"));
    sql(cat("INSERT INTO ", name,
            " SELECT g, md5(g::text), ARRAY[g, g % 7], point(g % 100, g / 100),"
            " CASE WHEN g % 50 = 0 THEN (SELECT string_agg(md5((g * i)::text), '')"
            " FROM generate_series(1, 150) i) END FROM generate_series(1, 4000) g"));
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      sql(cat("CREATE INDEX ", name, "_i", i, " ON ", name, " ", indexes[i]));
    }
  }
  sql("ALTER TABLE t3 SET TABLESPACE space");
  // Never rewritten, so that its pages can be compared at every stop.
  sql("CREATE TABLE steady AS SELECT g AS id, md5(g::text) AS v, ARRAY[g] AS words,"
      " point(g % 100, g) AS place, repeat('b', g % 400) AS big FROM generate_series(1, 20000) g");
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    sql(cat("CREATE INDEX steady_i", i, " ON steady ", indexes[i]));
  }
  sql("CREATE TABLE shrinking (id int, v text) WITH (fillfactor = 10, autovacuum_enabled = off)");
  empty_the_end();
  sql("CREATE UNLOGGED TABLE loose AS SELECT g FROM generate_series(1, 5000) g");
  sql("CREATE SEQUENCE counter");
  sql("CREATE MATERIALIZED VIEW seen AS SELECT id, v FROM t0 WHERE id % 3 = 0");
  sql("CREATE DATABASE wanderer");
  // Nobody but the steps may touch these two: vacuum would log pages that only a rule tells.
  sql("CREATE TABLE still WITH (autovacuum_enabled = off) AS SELECT g, md5(g::text) FROM "
      "generate_series(1, 3000) g",
      "wanderer");
  sql("CREATE TABLE w AS SELECT g, md5(g::text) FROM generate_series(1, 3000) g", "wanderer");
}

std::string BusyServer::some_table() { return cat("t", some(4)); }

void BusyServer::work(int steps) {
  for (int i = 0; i < steps; ++i) {
    // Rows change more often than the rest.
    step(some(3) == 0 ? some(kinds) : some(row_kinds));
  }
}

void BusyServer::work_through_all() {
  for (std::size_t kind = 0; kind < kinds; ++kind) step(kind);
}

void BusyServer::step(std::size_t kind) {
  if (kind < row_kinds) return rows(kind);
  kind -= row_kinds;
  if (kind < file_kinds) return files(kind);
  kind -= file_kinds;
  return kind < database_kinds ? databases(kind) : odds(kind - database_kinds);
}

void BusyServer::rows(std::size_t kind) {
  const bool steady = some(2) == 0;
  const auto table = steady ? std::string("steady") : some_table();
  const auto at = some(steady ? 20'000 : 4000), many = 1 + some(600);
  const auto range = cat(" WHERE id BETWEEN ", at, " AND ", at + many);
  const std::vector<std::vector<std::string>> texts = {
      {cat("INSERT INTO ", table, " SELECT g, md5(g::text), ARRAY[g], point(g, 1), NULL",
           " FROM generate_series(", at, ", ", at + many, ") g")},
      {cat("UPDATE ", table, " SET v = md5(v)", range)},
      {cat("UPDATE ", table, " SET words = words || 1, place = point(id, 3), big = v || big",
           range)},
      {cat("DELETE FROM ", table, range)},
      {cat("BEGIN; SAVEPOINT a; DELETE FROM ", table, range, "; ROLLBACK TO a; UPDATE ", table,
           " SET big = repeat(v, 9)", range, "; COMMIT")},
      {cat("BEGIN; UPDATE ", table, " SET v = 'lost'", range, "; ROLLBACK")},
      {cat("SELECT count(*) FROM ", table), cat("SELECT sum(id) FROM ", table, range)},
      {cat("SELECT id FROM ", table, range, " FOR UPDATE")},
      {cat("BEGIN; DELETE FROM ", table, range, "; PREPARE TRANSACTION 'kept'"),
       "COMMIT PREPARED 'kept'"},
      {cat("BEGIN; UPDATE ", table, " SET v = NULL", range, "; PREPARE TRANSACTION 'not'"),
       "ROLLBACK PREPARED 'not'"},
      {"SELECT lo_from_bytea(0, decode(repeat('ab', 9000), 'hex')) FROM generate_series(1, 9)",
       "SELECT lo_unlink(oid) FROM (SELECT oid FROM pg_largeobject_metadata LIMIT 4) x"},
      {"SELECT nextval('counter') FROM generate_series(1, 50)",
       "INSERT INTO loose SELECT g FROM generate_series(1, 900) g"},
  };
  for (const auto& text : texts.at(kind)) sql(text);
}

void BusyServer::files(std::size_t kind) {
  const auto table = some_table(), fresh = cat("fresh", ++made_);
  const std::vector<std::vector<std::string>> texts = {
      {cat("VACUUM ", table), "DELETE FROM steady WHERE id > 19000", "VACUUM steady",
       "INSERT INTO steady SELECT g, 'more', NULL, point(g, g), repeat('z', 300)"
       " FROM generate_series(1, 800) g"},
      {cat("VACUUM (FREEZE, ANALYZE) ", table)},
      // Its end goes: vacuum cuts the file, and later rows make it grow again.
      {cat("DELETE FROM ", table, " WHERE ctid > '(", 5 + some(20), ",0)'"),
       cat("VACUUM (TRUNCATE on) ", table),
       cat("INSERT INTO ", table, " SELECT g, 'grown', NULL, NULL, repeat('x', 900)",
           " FROM generate_series(1, 500) g")},
      {cat("VACUUM FULL ", table)},
      {cat("CLUSTER ", table, " USING ", table, "_i0")},
      {cat("REINDEX TABLE ", table)},
      {cat("ALTER TABLE ", table, " ADD COLUMN c", made_, " float DEFAULT random()"),
       cat("ALTER TABLE ", table, " DROP COLUMN c", made_)},
      {cat("ALTER TABLE ", table, " SET TABLESPACE ", some(2) == 0 ? "space" : "pg_default")},
      {cat("ALTER TABLE ", table, " SET UNLOGGED"), cat("ALTER TABLE ", table, " SET LOGGED")},
      {cat("BEGIN; TRUNCATE ", table, "; ROLLBACK"), cat("TRUNCATE ", table),
       cat("INSERT INTO ", table,
           " SELECT g, md5(g::text), ARRAY[g], point(g, 2) FROM generate_series(1, 3000) g")},
      {cat("CREATE TABLE ", fresh, " TABLESPACE space AS SELECT * FROM ", table)},
      {cat("CREATE TABLE ", fresh, " AS SELECT * FROM ", table), cat("DROP TABLE ", fresh)},
      {cat("CREATE TEMP TABLE ", fresh, " AS SELECT * FROM ", table)},
      {"REFRESH MATERIALIZED VIEW seen"},
  };
  for (const auto& text : texts.at(kind)) sql(text);
}

void BusyServer::databases(std::size_t kind) {
  const auto fresh = cat("base", ++made_);
  auto strategy = [&](const char* name) {
    return version_ >= 15 ? cat(" STRATEGY ", name) : std::string();
  };
  switch (kind) {
    case 0:
      return sql(cat("CREATE DATABASE ", fresh, " TEMPLATE wanderer", strategy("file_copy")));
    case 1:
      sql(cat("CREATE DATABASE ", fresh, " TEMPLATE wanderer", strategy("wal_log")));
      return sql("UPDATE w SET md5 = 'changed' WHERE g < 500", fresh);
    case 2:
      sql(cat("CREATE DATABASE ", fresh, " TEMPLATE wanderer TABLESPACE space"));
      return sql(cat("DROP DATABASE ", fresh));
    case 3:  // there, and back to where its files were
      sql("ALTER DATABASE wanderer SET TABLESPACE space");
      sql("UPDATE still SET md5 = md5(md5) WHERE g % 7 = 0", "wanderer");
      return sql("ALTER DATABASE wanderer SET TABLESPACE pg_default");
    case 4:
      return sql("UPDATE w SET md5 = md5(md5) WHERE g % 5 = 0", "wanderer");
    default:
      return sql("VACUUM FULL w", "wanderer");
  }
}

// Pages at the end of a file hold nothing and are still there. They stay so until the next stop:
// the cut to come is then all that the log says of them.
void BusyServer::empty_the_end() {
  sql("INSERT INTO shrinking SELECT g, repeat('x', 700) FROM generate_series(1, 300) g");
  sql("DELETE FROM shrinking WHERE ctid > '(100,0)'");
  sql("VACUUM (TRUNCATE off) shrinking");
  sql("VACUUM (TRUNCATE off) shrinking");
}

// A file is cut, grows again with zeros, and a crash takes the log of what they were to hold: the
// backend kills itself before anybody had a reason to write that log.
void BusyServer::lose_the_end() {
  sql("VACUUM (TRUNCATE on) shrinking");
  sql("CHECKPOINT");
  EXPECT_THROW(sql("BEGIN; INSERT INTO shrinking"
                   " SELECT g, repeat('y', 700) FROM generate_series(101, 200) g;"
                   " COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'"),
               std::runtime_error);
  server_->stop(test::StopMode::kill);
  server_->start_again();
}

void BusyServer::odds(std::size_t kind) {
  switch (kind) {
    case 0:
      return sql("VACUUM FULL pg_class");  // a mapped relation
    case 1:
      return sql("REINDEX TABLE pg_database");  // a shared one
    case 2:
      return sql("CHECKPOINT");
    case 3:
      server_->stop(test::StopMode::immediate);
      return server_->start_again();
    case 4:
      server_->stop(test::StopMode::kill);
      return server_->start_again();
    case 5:
      ++made_;
      return sql(cat("CREATE ROLE r", made_, "; COMMENT ON TABLE t0 IS 'number ", made_, "'"));
    case 6:
      return sql("SELECT pg_switch_wal()");
    case 7:
      return lose_the_end();
    default:
      sql("VACUUM steady");
      return sql("SELECT count(*) FROM t0; SELECT count(*) FROM t1");
  }
}

}  // namespace lb::pg
