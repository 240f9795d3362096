// Every major version that is supported, besides the one that all other tests run on: what comes by
// the protocol, by the files and by the log is held against the server's own pages.
#include <gtest/gtest.h>

#include <fstream>

#include "stores/postgres/page_backup_testing.h"
#include "stores/postgres/recovery_settings.h"

namespace lb::pg {
namespace {

class Majors : public PageBackup, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing(GetParam())) GTEST_SKIP() << *reason;
    start({.major = GetParam(), .settings = {{"max_connections", "57"}}});
    ASSERT_EQ(server_->value("SHOW server_version_num").substr(0, 2), std::to_string(GetParam()));
  }

  // Every kind of index, values outside the row, a database of its own.
  void make_things() {
    server_->sql(
        "CREATE TABLE things (id int PRIMARY KEY, word text, spot point, tags int[], big text);"
        "ALTER TABLE things ALTER big SET STORAGE EXTERNAL;"
        "INSERT INTO things SELECT i, md5(i::text), point(i, i % 97), ARRAY[i % 5, i % 7],"
        " CASE WHEN i % 50 = 0 THEN repeat(md5(i::text), 300) END FROM generate_series(1, 8000) i;"
        "CREATE INDEX things_hash ON things USING hash (word);"
        "CREATE INDEX things_gin ON things USING gin (tags);"
        "CREATE INDEX things_gist ON things USING gist (spot);"
        "CREATE INDEX things_spgist ON things USING spgist (spot);"
        "CREATE INDEX things_brin ON things USING brin (id);"
        "CREATE SEQUENCE numbers; CREATE TABLE gone AS SELECT i FROM generate_series(1, 9000) i;"
        "CREATE TABLE emptied AS SELECT i FROM generate_series(1, 9000) i;"
        "CREATE TABLE shrunk AS SELECT i FROM generate_series(1, 60000) i");
    server_->sql("CREATE DATABASE dropped");
    server_->sql("VACUUM");
  }

  // Of all that the log tells by other means than a changed block.
  void change_things(int turn) {
    server_->sql(cat("UPDATE things SET word = md5(word), spot = point(id, ", turn,
                     "), tags = tags || ", turn, " WHERE id % 40 = ", turn));
    server_->sql(cat("DELETE FROM things WHERE id % 90 = ", turn, "; SELECT nextval('numbers')"));
    server_->sql(cat("TRUNCATE emptied; INSERT INTO emptied SELECT ", turn,
                     " FROM generate_series(1, 700); DROP TABLE IF EXISTS gone"));
    server_->sql(cat("CREATE TABLE made_", turn, " AS SELECT * FROM things WHERE id < 900;",
                     "CREATE INDEX ON made_", turn, " (word)"));
    server_->sql(cat("DELETE FROM shrunk WHERE i > ", 50000 / (turn + 1)));
    server_->sql("VACUUM (FREEZE) shrunk");
    server_->sql("VACUUM things");
    server_->sql(cat("VACUUM FULL made_", turn));
    server_->sql("DROP DATABASE dropped");
    server_->sql("CREATE DATABASE dropped");
    server_->sql("CREATE TABLE inside AS SELECT i FROM generate_series(1, 3000) i", "dropped");
    server_->sql(cat("BEGIN; INSERT INTO things SELECT i, md5(i::text) FROM generate_series(",
                     turn * 100000, ", ", turn * 100000 + 500, ") i; ROLLBACK"));
    // Bits of the visibility map are cleared without a word about the map's own block.
    server_->sql(cat("UPDATE shrunk SET i = i WHERE i % 1000 = ", turn));
  }
};

TEST_P(Majors, EveryWayOfReadingGivesTheServersPages) {
  make_things();
  const auto sent = must({}, "full", "replication");
  at_rest();
  expect_same_pages(sent);

  newest_.clear();
  const auto full = must(local(), "full", "local");
  at_rest();
  expect_same_pages(full);

  for (int turn = 1; turn <= 2; ++turn) {
    change_things(turn);
    const auto pages = turn == 1 ? must(local(), "pages", "local") : must({}, "pages", "remote");
    at_rest();
    expect_same_pages(pages);
  }
  // All pages that the log did not name are read too and compared: none may have changed.
  change_things(3);
  const auto compared = must(local(1), "compared", "local");
  at_rest();
  expect_same_pages(compared);
  EXPECT_TRUE(stream_->stop().ok());
  EXPECT_EQ(stream_->troubles(), "");
}

TEST_P(Majors, TheControlFileTellsWhatACopyNeeds) {
  server_->stop();
  std::ifstream in(server_->data() + "/global/pg_control", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto limits = parse_control_limits(view_of(bytes)).take();
  EXPECT_EQ(limits.connections, 57u);
  EXPECT_EQ(limits.wal_senders, 10u);
  EXPECT_EQ(limits.worker_processes, 8u);
  EXPECT_EQ(limits.prepared_transactions, 0u);
  EXPECT_EQ(limits.locks_per_transaction, 64u);
  EXPECT_FALSE(limits.commit_times);
}

INSTANTIATE_TEST_SUITE_P(Postgres, Majors, testing::Values(13, 14, 16, 17, 18),
                         [](const auto& each) { return std::to_string(each.param); });

}  // namespace
}  // namespace lb::pg
