// Page-exact backups where the ways of taking them meet: by the protocol and from the files in
// turn, with and without checksums, log in another place, files that are none of the server's.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/text.h"
#include "stores/postgres/page_backup_testing.h"

namespace lb::pg {
namespace {

namespace fs = std::filesystem;

class PageBackupWays : public PageBackup {
 protected:
  // Something of everything that a point is held against.
  void change(int turn) {
    server_->sql(
        cat("UPDATE pgbench_accounts SET abalance = ", turn, " WHERE aid % 7000 = ", turn));
    server_->sql(
        cat("CREATE TABLE of_turn_", turn, " AS SELECT i FROM generate_series(1, 5000) i"));
    server_->sql("DELETE FROM pgbench_accounts WHERE aid % 1000 = 998");
    server_->sql("VACUUM pgbench_accounts");
    server_->sql(cat("UPDATE pgbench_accounts SET filler = 'x' WHERE aid % 20000 = ", turn));
  }
  SnapshotDetails details_of(const repo::SnapshotInfo& info) {
    return decode_details(info.meta.details).take();
  }
};

// Each is a whole point, whichever way the one before it came.
TEST_F(PageBackupWays, TheWaysInMayBeChangedAnyTime) {
  start();
  fill(2);
  must({}, "full", "replication");
  int turn = 0;
  for (const bool from_files : {true, false, false, true, true, false}) {
    change(++turn);
    const auto pages = from_files ? must(local(), "pages", "local") : must({}, "pages", "remote");
    at_rest();
    expect_same_pages(pages);
  }
  change(++turn);
  SourceOptions compared;
  compared.compare_every = 1;
  must(compared, "compared", "remote");
  change(++turn);
  const auto last = must(local(1), "compared", "local");
  at_rest();
  expect_same_pages(last);
  EXPECT_EQ(details_of(last).tables_carried, 0u) << "and rows were counted anew";
}

TEST_F(PageBackupWays, EveryNthReadsAllPages) {
  start();
  fill(1);
  must(local(3), "full", "local");
  const auto all = server_->value("SELECT pg_relation_size('pgbench_accounts')");
  for (int round = 0; round < 2; ++round) {
    for (const char* mode : {"pages", "pages", "compared"}) {
      server_->sql("UPDATE pgbench_accounts SET abalance = 1 WHERE aid = 7");
      const auto details = details_of(must(local(3), mode, "local"));
      EXPECT_EQ(details.bytes_read > parse_uint(all).take(), mode == std::string("compared"));
      EXPECT_EQ(details.since_full_read == 0, mode == std::string("compared"));
    }
  }
}

// The first reading of a row sets bits in its page, and the log has them where hints are logged.
class HintBits : public PageBackupWays, public testing::WithParamInterface<bool> {};

TEST_P(HintBits, ComeIntoThePoint) {
  const bool checksums = GetParam();
  start({.checksums = checksums, .settings = {{"wal_log_hints", checksums ? "off" : "on"}}});
  server_->sql(
      "CREATE TABLE unread AS SELECT i, 'some text' AS t FROM generate_series(1, 50000) i");
  must(local(), "full", "local");
  server_->sql("SELECT count(*) FROM unread");
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
  must(local(1), "compared", "local");
}

INSTANTIATE_TEST_SUITE_P(Logged, HintBits, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "ByChecksums" : "ByWalLogHints");
});

TEST_F(PageBackupWays, WithoutChecksumsAndLoggedHintsAllIsReadAndItIsSaid) {
  start({.checksums = false});
  fill(1);
  must(local(), "full", "local");
  server_->sql("SELECT sum(abalance) FROM pgbench_accounts");
  const auto again = must(local(), "full", "local");
  EXPECT_NE(details_of(again).why_full.find("wal_log_hints"), std::string::npos);
  at_rest();
  expect_same_pages(again);
  const auto& warnings = again.meta.warnings;
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& line) {
    return line.find("damaged pages cannot be noticed") != line.npos;
  }));
}

// Between two points the hints must have been logged all the time.
TEST_F(PageBackupWays, LoggedHintsCountFromThePointAfterTheyWereSwitchedOn) {
  start({.checksums = false});
  fill(1);
  must(local(), "full", "local");
  const auto switch_to = [&](const char* how) {
    server_->set("wal_log_hints", how);
    stream_.reset();
    server_->restart();
    stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
  };
  switch_to("on");
  const auto first = must(local(), "full", "local");
  EXPECT_NE(details_of(first).why_full.find("was off at the last one"), std::string::npos);
  must(local(), "pages", "local");
  switch_to("off");
  server_->sql("CREATE TABLE unread AS SELECT i FROM generate_series(1, 50000) i");
  server_->sql("SELECT count(*) FROM unread");
  switch_to("on");
  const auto again = must(local(), "full", "local");
  EXPECT_NE(details_of(again).why_full.find("was off meanwhile"), std::string::npos)
      << details_of(again).why_full;
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
}

// A hint is each server's own, and no disagreement; but not one that fails its checksum.
TEST_F(PageBackupWays, ABitThatWentBadIsNotTakenForAHint) {
  start();
  fill(1);
  at_rest();
  must(local(), "full", "local");
  const auto path = server_->value("SELECT pg_relation_filepath('pgbench_accounts')");
  stream_.reset();
  server_->stop();
  {
    std::fstream file(server_->data() + "/" + path,
                      std::ios::in | std::ios::out | std::ios::binary);
    const std::streamoff flags = 5 * page_bytes + 10;
    file.seekg(flags);
    const char byte = static_cast<char>(file.get());
    file.seekp(flags);
    file.put(static_cast<char>(byte ^ 2));  // "full"
  }
  server_->start_again();
  stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
  const auto outcome = backup(local(1));
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(details_of(outcome->snapshot).bad_pages, std::vector<std::string>{path + " block 5"});
}

// The log in a folder of its own, which the data directory only points to; what an administrator
// put there; a link that leads out.
TEST_F(PageBackupWays, TheLogMayLieElsewhereAndFilesOfOthersAreSaved) {
  start();
  fill(1);
  stream_.reset();
  server_->stop();
  const std::string data = server_->data(), log = server_->folder() + "/log";
  fs::rename(data + "/pg_wal", log);
  fs::create_directory_symlink(log, data + "/pg_wal");
  std::ofstream(data + "/notes of an admin") << "not the server's";
  fs::create_directory(data + "/scripts");
  std::ofstream(data + "/scripts/run") << "#!/bin/sh\n";
  fs::create_symlink("/etc/hostname", data + "/outside");
  server_->start_again();
  stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
  const auto full = must(local(), "full", "local");
  server_->sql("UPDATE pgbench_accounts SET abalance = 1 WHERE aid % 9000 = 3");
  const auto pages = must(local(), "pages", "local");
  at_rest();
  expect_same_pages(pages);
  for (const auto& info : {full, pages}) {
    const auto reader = repository_->snapshot(info.id).take();
    const auto kind_of = [&](const std::string& key) {
      return decode_attributes(reader->find(key).take().value().attributes).take().kind;
    };
    EXPECT_EQ(kind_of("pg_wal"), FileAttributes::Kind::directory);
    EXPECT_EQ(kind_of("pg_wal/archive_status"), FileAttributes::Kind::directory);
    const auto current = server_->value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    EXPECT_FALSE(reader->find("pg_wal/" + current).take().has_value());
    const auto notes = reader->find("notes of an admin").take();
    ASSERT_TRUE(notes.has_value());
    EXPECT_EQ(text_of(reader->read(*notes, 0, notes->size).take()), "not the server's");
    EXPECT_TRUE(reader->find("scripts/run").take().has_value());
    EXPECT_FALSE(reader->find("outside").take().has_value());
    EXPECT_NE(join(info.meta.warnings, "\n").find("outside: a link out of the data directory"),
              std::string::npos);
  }
}

// A standby that replays under load, with restartpoints of its own, read where its files lie.
TEST_F(PageBackupWays, AStandbyUnderLoadGivesTheSamePages) {
  start();
  server_->run_tool({"pgbench", "-i", "-q", "-s", "3", "postgres"});
  const auto primary = back_up_a_standby();
  must(local(), "full", "local");
  for (int turn = 0; turn < 3; ++turn) {
    auto load = primary->start_tool({"pgbench", "-c", "2", "-T", "600", "-n", "postgres"});
    const auto before = server_->value("SELECT pg_last_wal_replay_lsn()");
    while (server_->value("SELECT pg_last_wal_replay_lsn() - '" + before + "' > 1000000") != "t")
      pause();
    must(local(), "pages", "local");
    load->kill_with_children();
    if (turn == 1) primary->sql("VACUUM pgbench_accounts");
    catch_up_with(*primary);
    const auto quiet = must(local(), "pages", "local");
    expect_same_pages(quiet);
  }
  must(local(1), "compared", "local");
  stream_.reset();
  server_.reset();  // before its primary
}

// Pages of a point of the primary would be ahead of it: it reads its own.
TEST_F(PageBackupWays, AStandbyThatLagsBehindTheLastPointReadsAll) {
  start();
  fill(1);
  auto standby = PostgresServer::standby_of(*server_);
  const auto reached = [&](const std::string& lsn) {
    while (standby->value("SELECT pg_last_wal_replay_lsn() >= '" + lsn + "'") != "t") pause();
  };
  reached(server_->value("SELECT pg_current_wal_flush_lsn()"));
  standby->sql("SELECT pg_wal_replay_pause()");
  while (standby->value("SELECT pg_get_wal_replay_pause_state()") != "paused") pause();
  server_->sql("UPDATE pgbench_accounts SET abalance = 7 WHERE aid % 9000 = 3");
  const auto ahead = must(local(), "full", "local");
  const auto from_standby = [&](const std::string& mode) {
    std::swap(server_, standby);
    const auto info = must(local(mode == "compared" ? 1 : 0), mode, "local");
    std::swap(server_, standby);
    return details_of(info);
  };
  const auto lagging = from_standby("full");
  EXPECT_NE(lagging.why_full.find("this standby is at"), std::string::npos) << lagging.why_full;
  EXPECT_LT(lagging.stop_lsn, details_of(ahead).stop_lsn);
  must(local(), "pages", "local");  // of the primary again
  standby->sql("SELECT pg_wal_replay_resume()");
  server_->sql("CHECKPOINT");
  reached(server_->value("SELECT pg_current_wal_flush_lsn()"));
  standby->sql("CHECKPOINT");
  from_standby("pages");
  // Hints are each server's own; nothing else may differ.
  from_standby("compared");
}

}  // namespace
}  // namespace lb::pg
