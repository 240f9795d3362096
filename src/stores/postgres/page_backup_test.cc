// Page-exact backups of a real server into a real repository: what changes between two of them, and
// is every page of the second the server's own?
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/text.h"
#include "stores/postgres/carried_counts.h"
#include "stores/postgres/page_backup_testing.h"

namespace lb::pg {
namespace {

TEST_F(PageBackup, AFewChangedPagesCostAFewPages) {
  start();
  fill(10);
  const auto full = must(local(), "full", "local");
  at_rest();
  expect_same_pages(full);
  server_->sql("UPDATE pgbench_accounts SET abalance = 7 WHERE aid % 50000 = 3");
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
  EXPECT_LT(pages.new_bytes, 3u << 20) << "of " << full.new_bytes;
  const SnapshotDetails details = decode_details(pages.meta.details).take();
  EXPECT_LT(details.bytes_read, 12u << 20);
  EXPECT_EQ(details.since_full_read, 1u);
  const auto again = must(local(), "pages", "local");
  EXPECT_LT(again.new_bytes, 512u << 10);
}

// Row counts are carried on by the log, exactly, whatever was going on meanwhile.
TEST_F(PageBackup, CountsAreCarriedOnExactly) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "2", "postgres"});
  server_->sql("CREATE TABLE many AS SELECT i FROM generate_series(1, 10000) i");
  server_->sql("CREATE TABLE none (i int)");
  must(local(), "full", "local");
  auto load = server_->start_tool({"pgbench", "-c", "3", "-T", "600", "-n", "postgres"});
  for (int turn = 0; turn < 3; ++turn) {
    server_->sql(
        "DELETE FROM many WHERE i % 7 = 3; INSERT INTO none SELECT generate_series(1, 500)");
    server_->sql("BEGIN; INSERT INTO many SELECT generate_series(1, 100); ROLLBACK");
    server_->sql(
        "BEGIN; SAVEPOINT a; INSERT INTO many SELECT generate_series(1, 33); RELEASE a; COMMIT");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    must(local(), "pages", "local");
  }
  load->kill_with_children();
  while (server_->value(
             "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'") != "0") {
    pause();
  }
  const auto last = must(local(), "pages", "local");
  const auto bytes =
      repository_->snapshot(last.id).take()->attachment(attachment_fingerprint).take();
  const Json print = parse_json(text_of(*bytes)).take();
  EXPECT_EQ(decode_details(last.meta.details).take().tables_carried, 6u);
  std::size_t tables = 0;
  for (const Json& database : print["databases"].items()) {
    for (const Json& table : database["tables"].items()) {
      EXPECT_EQ(table.find("carried"), nullptr);
      EXPECT_EQ(std::to_string(table["rows"].integer(-1)),
                server_->value("SELECT count(*) FROM " + table["name"].string()))
          << table["name"].string();
      ++tables;
    }
  }
  EXPECT_EQ(tables, 6u);
}

TEST_F(PageBackup, NothingInstalledOnTheDatabaseHostIsNeeded) {
  start();
  fill(3);
  must({}, "full", "replication");
  server_->sql("UPDATE pgbench_accounts SET abalance = 7 WHERE aid % 9000 = 3");
  const auto pages = must({}, "pages", "remote");
  at_rest();
  expect_same_pages(pages);
  EXPECT_LT(decode_details(pages.meta.details).take().bytes_read, 12u << 20);
}

TEST_F(PageBackup, DefinitionsThatChangeAreMet) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
  server_->sql("CREATE TABLE gone AS SELECT i FROM generate_series(1, 30000) i");
  server_->sql("CREATE TABLE cut AS SELECT i, repeat('x', 50) t FROM generate_series(1, 50000) i");
  server_->sql("CREATE TABLE packed AS SELECT i FROM generate_series(1, 50000) i");
  server_->sql("CREATE TABLE moved AS SELECT i FROM generate_series(1, 20000) i");
  server_->sql("CREATE UNLOGGED TABLE loose AS SELECT i FROM generate_series(1, 20000) i");
  must(local(), "full", "local");
  std::filesystem::create_directory(server_->folder() + "/space");
  test::give_to_server_user(server_->folder() + "/space");
  server_->sql("DROP TABLE gone");
  server_->sql("DELETE FROM cut WHERE i > 20000");
  server_->sql("VACUUM cut");
  server_->sql("INSERT INTO cut SELECT i, 'new' FROM generate_series(1, 20000) i");
  server_->sql("DELETE FROM packed WHERE i % 2 = 0");
  server_->sql("VACUUM FULL packed");
  server_->sql("CREATE TABLE fresh AS SELECT i FROM generate_series(1, 30000) i");
  server_->sql("TRUNCATE pgbench_history");
  server_->sql("CREATE DATABASE by_log STRATEGY wal_log TEMPLATE template1");
  server_->sql("CREATE DATABASE by_file STRATEGY file_copy TEMPLATE by_log");
  server_->sql(cat("CREATE TABLESPACE aside LOCATION '", server_->folder(), "/space'"));
  server_->sql("ALTER TABLE moved SET TABLESPACE aside");
  server_->sql("SELECT lo_from_bytea(0, decode(repeat('ab', 100000), 'hex'))");
  server_->sql("UPDATE pgbench_accounts SET abalance = 1 WHERE aid < 5000");
  server_->sql("REINDEX TABLE pgbench_branches");
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
  EXPECT_EQ(decode_details(pages.meta.details).take().tablespaces.size(), 1u);
  // All that is left out of a page-exact backup, looked at once more.
  must(local(1), "compared", "local");
}

// One inside of another, one with a name and a path that quoting could break.
TEST_F(PageBackup, TablesThatMoveBetweenTablespacesAreMet) {
  start();
  const std::string one = server_->folder() + "/space", odd = server_->folder() + "/no \"3\" ";
  for (const std::string& folder : {one, one + "/nested", odd}) {
    std::filesystem::create_directory(folder);
    test::give_to_server_user(folder);
  }
  server_->sql(cat("CREATE TABLESPACE one LOCATION '", one, "'"));
  server_->sql(cat("CREATE TABLESPACE nested LOCATION '", one, "/nested'"));
  server_->sql(cat("CREATE TABLESPACE \"it's \"\"3\"\"\" LOCATION '", odd, "'"));
  const std::vector<std::string> spaces = {"pg_default", "one", "nested", R"("it's ""3""")"};
  for (const char* name : {"a", "b", "c", "d"}) {
    server_->sql(cat("CREATE TABLE ", name, " AS SELECT i FROM generate_series(1, 30000) i"));
    server_->sql(cat("CREATE INDEX ", name, "_i ON ", name, " (i)"));
  }
  must(local(), "full", "local");
  for (std::size_t round = 0; round < 4; ++round) {
    for (std::size_t table = 0; table < 4; ++table) {
      const std::string name(1, static_cast<char>('a' + table));
      server_->sql(cat("ALTER TABLE ", name, " SET TABLESPACE ", spaces[(round + table) % 4]));
      server_->sql(
          cat("ALTER INDEX ", name, "_i SET TABLESPACE ", spaces[(round * 2 + table) % 4]));
      server_->sql(cat("UPDATE ", name, " SET i = -i WHERE i % 4000 = ", round));
    }
    const auto pages = must(local(), "pages", "local");
    at_rest();
    expect_same_pages(pages);
    EXPECT_EQ(decode_details(pages.meta.details).take().tablespaces.size(), 3u);
  }
  must(local(1), "compared", "local");
}

// Generation after generation under load, each compared: pages, indexes, free space, vacuum.
TEST_F(PageBackup, GenerationsUnderLoadAgreeWithTheServer) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "5", "postgres"});
  must(local(), "full", "local");
  for (int generation = 0; generation < 4; ++generation) {
    auto load = server_->start_tool({"pgbench", "-c", "3", "-T", "600", "-n", "postgres"});
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    if (generation == 2) server_->sql("VACUUM pgbench_accounts");
    must(local(), "pages", "local");
    load->kill_with_children();
    at_rest();
    const auto quiet = must(local(), "pages", "local");
    at_rest();
    expect_same_pages(quiet);
  }
  must(local(1), "compared", "local");
}

// The files of a standby, read where they lie; the log comes from it as well.
TEST_F(PageBackup, AStandbyGivesTheSamePages) {
  start();
  fill(2);
  const auto primary = back_up_a_standby();
  must(local(), "full", "local");
  primary->sql("UPDATE pgbench_accounts SET abalance = 7 WHERE aid % 9000 = 3");
  catch_up_with(*primary);
  const auto pages = must(local(), "pages", "local");
  expect_same_pages(pages);
  EXPECT_LT(decode_details(pages.meta.details).take().bytes_read, 12u << 20);
  stream_.reset();
  server_.reset();  // before its primary
}

// A page changed behind the log's back is found when all are read, named, and stored as it is.
TEST_F(PageBackup, AChangeTheLogDoesNotNameIsAnAlarm) {
  start();
  fill(3);
  must(local(), "full", "local");
  const std::string path = server_->value("SELECT pg_relation_filepath('pgbench_accounts')");
  server_->stop();
  stream_.reset();
  // Another page of the same table in its place would be valid but for its number; so it carries a
  // checksum that fits.
  {
    std::fstream file(server_->data() + "/" + path,
                      std::ios::in | std::ios::out | std::ios::binary);
    Buffer page(page_bytes);
    file.seekg(5 * page_bytes);
    file.read(reinterpret_cast<char*>(page.data()), page_bytes);
    page[page_bytes - 16] ^= 1;  // in the first row: what lies behind it up to the next counts not
    const std::uint16_t sum = page_checksum(page, 5);
    page[8] = static_cast<std::uint8_t>(sum);
    page[9] = static_cast<std::uint8_t>(sum >> 8);
    file.seekp(5 * page_bytes);
    file.write(reinterpret_cast<const char*>(page.data()), page_bytes);
  }
  server_->start_again();
  stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
  must(local(), "pages", "local");
  const auto compared = backup(local(1));
  ASSERT_TRUE(compared.ok()) << compared.error().text();
  EXPECT_EQ(decode_details(compared->snapshot.meta.details).take().mode, "compared");
  ASSERT_EQ(compared->unread.size(), 1u);
  EXPECT_NE(compared->unread[0].find(path + " block 5"), std::string::npos) << compared->unread[0];
  at_rest();
  expect_same_pages(compared->snapshot);
}

// What the last point stored is gone: the files are read anew, and somebody hears of it.
TEST_F(PageBackup, WhatIsMissingOfTheLastPointIsReadAnewAndSaid) {
  start();
  fill(10);
  must(local(), "full", "local");
  const auto packs = blobs_.list("p/", {}).take();
  ASSERT_GT(packs.size(), 1u);
  ASSERT_TRUE(blobs_.remove(packs.front().key).ok());
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
  const auto& warnings = pages.meta.warnings;
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& line) {
    return line.find("is missing from the repository") != line.npos &&
           line.find("read anew") != line.npos;
  }));
}

TEST_F(PageBackup, WhyAllFilesAreReadIsSaid) {
  start();
  must(local(), "full", "local");
  EXPECT_EQ(decode_details(repository_->snapshots().take()[0].meta.details).take().why_full,
            "it is the first");
  server_->make_role("plain", "secret", "REPLICATION");
  SourceOptions options;
  options.store = "db";
  options.log_continuous = true;
  const auto parent = repository_->snapshot(newest_).take();
  auto source =
      make_source(Secret(std::string_view(server_->conninfo_as("plain", "secret"))), options);
  BackupContext context{world_.world, *repository_, parent.get(), {}, {}, 2, "host"};
  const auto outcome = source->backup(context);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  const auto details = decode_details(outcome->snapshot.meta.details).take();
  EXPECT_EQ(details.way, "replication");
  EXPECT_NE(details.why_full.find("may not"), std::string::npos) << details.why_full;
}

TEST_F(PageBackup, AnotherClustersFolderIsRefused) {
  start();
  PostgresOptions other;
  const auto stranger = PostgresServer::start(other);
  SourceOptions options = local();
  options.data_folder = stranger->data();
  const auto outcome = backup(options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::refused);
  EXPECT_NE(outcome.error().text().find("is not the data directory"), std::string::npos);
  options.data_folder = server_->folder() + "/nothing-here";
  EXPECT_FALSE(backup(options).ok());
}

}  // namespace
}  // namespace lb::pg
