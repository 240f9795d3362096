// PageBackup: page-exact backups of a real server into a real repository, each held against the
// server's own files. For tests only.
#pragma once

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "storage/blob/memory_blob_store.h"
#include "stores/postgres/folder_backup.h"
#include "stores/postgres/running_stream.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {

using test::PostgresOptions;
using test::PostgresServer;

class PageBackup : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
  void start(PostgresOptions options = {}) {
    options.settings.emplace_back("autovacuum", "off");
    server_ = PostgresServer::start(options);
    const Secret key(std::string_view("correct horse battery staple"));
    ASSERT_TRUE(repo::init_repository(blobs_, *world_.clock, *world_.random, key, {1, 8192}).ok());
    // Small packs, so that a test can lose a part.
    repository_ = repo::open_repository(blobs_, *world_.clock, *world_.random, key,
                                        {.workers = 2, .memory_bytes = 8 << 20})
                      .take();
    stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
    while (stream_->status().durable == 0 && !stream_->ended()) pause();
  }

  // Without pgbench, which servers of other versions come without.
  void fill(int scale) {
    server_->sql(
        "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, abalance int, filler char(84)) "
        "WITH (fillfactor = 90)");
    server_->sql(cat("INSERT INTO pgbench_accounts SELECT i, 0, '' FROM generate_series(1, ",
                     scale * 100000, ") i"));
    server_->sql("VACUUM");  // the first reading of a row changes its page
  }

  Result<BackupOutcome> backup(SourceOptions options) {
    options.store = "db";
    options.log_continuous = true;
    std::unique_ptr<repo::SnapshotReader> parent;
    if (!newest_.empty()) parent = repository_->snapshot(newest_).take();
    auto source = make_source(Secret(std::string_view(server_->conninfo())), options);
    BackupContext context{world_.world, *repository_, parent.get(), {}, {}, 2, "host"};
    auto outcome = source->backup(context);
    if (outcome.ok()) newest_ = outcome->snapshot.id;
    return outcome;
  }
  SourceOptions local(std::uint32_t compare_every = 0) {
    SourceOptions options;
    options.data_folder = server_->data();
    options.compare_every = compare_every;
    return options;
  }
  // Takes a backup that must be of this mode: one that silently became another proves nothing.
  repo::SnapshotInfo must(SourceOptions options, const std::string& mode, const std::string& way) {
    auto outcome = backup(std::move(options));
    EXPECT_TRUE(outcome.ok()) << outcome.error().text();
    if (!outcome.ok()) return {};
    EXPECT_TRUE(outcome->unread.empty()) << outcome->unread[0];
    const SnapshotDetails details = decode_details(outcome->snapshot.meta.details).take();
    EXPECT_EQ(details.mode, mode) << details.why_full;
    EXPECT_EQ(details.way, way);
    return outcome->snapshot;
  }

  // Of a server at rest: every page of every relation in the snapshot is the server's own, and no
  // file of the server is missing. Pages that changed since the backup began are put right by
  // replay and may differ.
  void expect_same_pages(const repo::SnapshotInfo& info) {
    const auto reader = repository_->snapshot(info.id).take();
    const Lsn start = decode_details(info.meta.details).take().start_lsn;
    const auto folder = local_data_folder(*world_.files, server_->data());
    std::size_t files = 0, pages = 0;
    WalkFindings findings;
    const auto compare = [&](const WalkedFile& file) -> Status {
      if (!file.relation.relation) return {};
      ++files;
      const auto row = reader->find(file.path).take();
      EXPECT_TRUE(row.has_value()) << file.path;
      if (!row) return {};
      const Buffer now = read_data_file(*folder, file.path, file.entry.size + page_bytes).take();
      const Buffer stored = reader->read(*row, 0, row->size).take();
      const std::size_t common = std::min(now.size(), stored.size()) / page_bytes;
      for (std::size_t page = 0; page < common; ++page) {
        const ByteView a = ByteView(now).subspan(page * page_bytes, page_bytes);
        const ByteView b = ByteView(stored).subspan(page * page_bytes, page_bytes);
        ++pages;
        if (std::equal(a.begin(), a.end(), b.begin()) || page_lsn(a) >= start) continue;
        ADD_FAILURE() << file.path << " page " << page;
        return {};
      }
      if (now.size() != stored.size()) {
        EXPECT_GE(
            page_lsn(
                ByteView(now.size() > stored.size() ? now : stored).subspan(common * page_bytes)),
            start)
            << file.path << ": " << now.size() << " and " << stored.size();
      }
      return {};
    };
    const auto version = parse_int(server_->value("SHOW server_version_num")).take();
    ASSERT_TRUE(walk_data(*folder, static_cast<int>(version), compare, findings).ok());
    EXPECT_GT(files, 100u);
    EXPECT_GT(pages, 500u);
  }
  void at_rest() { server_->sql("CHECKPOINT"); }

  // From now on backups are those of a standby, whose log is followed; gives its primary.
  std::unique_ptr<PostgresServer> back_up_a_standby() {
    stream_.reset();
    std::unique_ptr<PostgresServer> primary = std::move(server_);
    server_ = PostgresServer::standby_of(*primary);
    stream_ = std::make_unique<RunningStream>(world_.world, *repository_, server_->conninfo());
    catch_up_with(*primary);
    return primary;
  }
  // The standby has replayed all of the primary, and rests.
  void catch_up_with(const PostgresServer& primary) {
    primary.sql("CHECKPOINT");
    const std::string end = primary.value("SELECT pg_current_wal_flush_lsn()");
    while (server_->value("SELECT pg_last_wal_replay_lsn() >= '" + end + "'") != "t") pause();
    server_->sql("CHECKPOINT");
    stream_->wait_durable(end);
  }

  TestWorld world_;
  MemoryBlobStore blobs_;
  std::unique_ptr<repo::Repository> repository_;
  std::unique_ptr<PostgresServer> server_;
  std::unique_ptr<RunningStream> stream_;  // ends before its server
  std::string newest_;
};

}  // namespace lb::pg
