#include <gtest/gtest.h>

#include <cstdlib>

#include "foundation/base/text.h"
#include "stores/postgres/layout_paths.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/source.h"
#include "stores/postgres/superuser.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

// A snapshot that looks like a small data directory.
class Layout : public testing::Test {
 protected:
  void put(repo::SnapshotWriter& writer, const std::string& key, const Buffer& bytes) {
    auto stream = writer.open(key, repo::Cut::pages).take();
    stream->write(bytes).take();
    stream->finish(encode(FileAttributes{})).take();
  }
  void make_snapshot(const std::string& extra = {}, bool control = true, bool label = true) {
    auto writer = repository_.begin("db", nullptr, {}).take();
    FileAttributes folder;
    folder.kind = FileAttributes::Kind::directory;
    writer->add("base", encode(folder)).take();
    writer->add("base/5", encode(folder)).take();
    Buffer sparse(1 << 20);
    sparse[200'000] = 7;
    put(*writer, "base/5/16384", sparse);
    put(*writer, "base/5/16385", {});
    if (control) put(*writer, "global/pg_control", Buffer(8192, 1));
    put(*writer, "global/pg_filenode.map", Buffer(512, 2));
    put(*writer, "pg_tblspc/16500/PG_15_202209061/5/16600", Buffer(8192, 3));
    put(*writer, "postmaster.opts", Buffer(10, 4));
    put(*writer, "standby.signal", {});
    put(*writer, "tablespace_map", Buffer(10, 4));
    put(*writer, "pg_replslot/lost/state", Buffer(10, 4));
    if (!extra.empty()) put(*writer, extra, Buffer(10, 5));
    if (label) writer->attach(attachment_backup_label, view_of("START WAL LOCATION: 0/1\n")).take();
    snapshot_ = writer->commit({}).take().id;
  }
  Result<RestoreOutcome> lay_out_in(const std::string& folder, std::stop_token stop = {},
                                    bool write_behind = false) {
    LayoutOptions options;
    options.write_behind = write_behind;
    options.folder = folder;
    options.change_owner = false;
    options.progress = [this](const Progress& progress) { seen_ = progress; };
    auto reader = repository_.snapshot(snapshot_).take();
    return lay_out(real_.world, *reader, options, stop);
  }
  bool there(const std::string& path) { return *path_exists(*real_.files, path); }

  RealWorld real_;
  MemoryRepository repository_;
  std::string snapshot_;
  test::TempDir temporary_;
  Progress seen_;
};

TEST_F(Layout, WritesEverythingThatBelongsAndNothingElse) {
  make_snapshot();
  auto folder = temporary_ / "new/data";
  auto outcome = lay_out_in(folder);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(outcome->items, 5u);
  EXPECT_EQ(seen_.items, 5u);
  auto bytes = read_file(*real_.files, folder + "/base/5/16384", 2 << 20).take();
  ASSERT_EQ(bytes.size(), 1u << 20);
  EXPECT_EQ(bytes[200'000], 7);
  EXPECT_EQ(real_.files->info(folder + "/base/5/16384")->mode, 0600u);
  EXPECT_EQ(real_.files->info(folder)->mode, 0700u);
  EXPECT_EQ(real_.files->info(folder + "/base/5/16385")->size, 0u);
  EXPECT_EQ(read_file(*real_.files, folder + "/global/pg_control", 10000)->size(), 8192u);
  EXPECT_TRUE(there(folder + "/backup_label"));
  EXPECT_TRUE(there(folder + "/pg_wal/archive_status"));
  EXPECT_EQ(*real_.files->read_link(folder + "/pg_tblspc/16500"),
            folder + "/lifeboat_tablespaces/16500");
  EXPECT_TRUE(there(folder + "/lifeboat_tablespaces/16500/PG_15_202209061/5/16600"));
  for (const char* gone : {"postmaster.opts", "standby.signal", "tablespace_map",
                           "pg_replslot/lost", "global/pg_control.lifeboat"}) {
    EXPECT_FALSE(there(path_join(folder, gone))) << gone;
  }
}

TEST_F(Layout, RefusesAFolderThatHoldsAnything) {
  make_snapshot();
  real_.files->make_directory(temporary_ / "d", 0700).take();
  write_durably(*real_.files, temporary_ / "d/postmaster.pid", view_of("1")).take();
  auto running = lay_out_in(temporary_ / "d");
  ASSERT_FALSE(running.ok());
  EXPECT_EQ(running.error().exit_code(), ExitCode::refused);
  EXPECT_NE(running.error().text().find("postmaster.pid"), std::string::npos);
  real_.files->rename(temporary_ / "d/postmaster.pid", temporary_ / "d/precious").take();
  auto full = lay_out_in(temporary_ / "d");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().exit_code(), ExitCode::refused);
  EXPECT_TRUE(there(temporary_ / "d/precious"));
  EXPECT_EQ(real_.files->list(temporary_ / "d")->size(), 1u);
  auto file = lay_out_in(temporary_ / "d/precious");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().exit_code(), ExitCode::refused);
  EXPECT_FALSE(lay_out_in("relative/path").ok());
}

TEST_F(Layout, AFailureAnywhereLeavesNoControlFile) {
  make_snapshot();
  for (int nth = 0; nth < 5; ++nth) {
    int count = 0;
    repository_.on_fetch = [&](const std::string&) -> Status {
      if (count++ == nth) return Error(ErrorKind::corrupt, "frame 3 does not authenticate");
      return {};
    };
    auto folder = temporary_ / cat("f", nth);
    auto outcome = lay_out_in(folder);
    ASSERT_FALSE(outcome.ok()) << nth;
    EXPECT_EQ(outcome.error().kind(), ErrorKind::corrupt);
    EXPECT_FALSE(there(folder + "/global/pg_control"));
    EXPECT_FALSE(there(folder + "/global/pg_control.lifeboat"));
    EXPECT_NE(outcome.error().left().find("unfinished"), std::string::npos);
  }
  repository_.on_fetch = nullptr;
  std::stop_source stopped;
  stopped.request_stop();
  auto outcome = lay_out_in(temporary_ / "stopped", stopped.get_token());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::cancelled);
  EXPECT_FALSE(there(temporary_ / "stopped/global/pg_control"));
}

TEST_F(Layout, AnIncompleteSnapshotIsDamaged) {
  make_snapshot({}, false);
  auto no_control = lay_out_in(temporary_ / "a");
  ASSERT_FALSE(no_control.ok());
  EXPECT_EQ(no_control.error().exit_code(), ExitCode::damaged);
  make_snapshot({}, true, false);
  auto no_label = lay_out_in(temporary_ / "b");
  ASSERT_FALSE(no_label.ok());
  EXPECT_EQ(no_label.error().exit_code(), ExitCode::damaged);
  EXPECT_FALSE(there(temporary_ / "b/global/pg_control"));
}

TEST_F(Layout, LargeFilesWrittenBehindAreTheSame) {
  auto writer = repository_.begin("db", nullptr, {}).take();
  Buffer large((40 << 20) + 8192);
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<std::uint8_t>(i / 8192 * 7 + i);
  std::fill(large.begin() + (5 << 20), large.begin() + (9 << 20), std::uint8_t{0});
  put(*writer, "base/5/16384", large);
  put(*writer, "base/5/16385", Buffer(8192, 6));
  put(*writer, "global/pg_control", Buffer(8192, 1));
  writer->attach(attachment_backup_label, view_of("START WAL LOCATION: 0/1\n")).take();
  snapshot_ = writer->commit({}).take().id;
  auto outcome = lay_out_in(temporary_ / "d", {}, true);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(outcome->items, 3u);
  auto bytes = read_file(*real_.files, temporary_ / "d/base/5/16384", 64 << 20).take();
  EXPECT_TRUE(bytes == large);
}

TEST_F(Layout, APathThatLeavesTheTargetIsCorrupt) {
  for (const char* key : {"../escape", "base/../../escape", "/etc/escape", "base//x",
                          "pg_tblspc/x/y", "pg_tblspc/0/y", "base/./x"}) {
    make_snapshot(key);
    auto outcome = lay_out_in(temporary_ / cat("p", repository_.snapshots()->size()));
    ASSERT_FALSE(outcome.ok()) << key;
    EXPECT_EQ(outcome.error().kind(), ErrorKind::corrupt) << key;
  }
  EXPECT_FALSE(there(temporary_ / "escape"));
}

TEST_F(Layout, AFullDiskIsACleanError) {
  make_snapshot();
  auto mount_point = temporary_ / "small";
  real_.files->make_directory(mount_point, 0700).take();
  Command mount;
  mount.argv = {"mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", mount_point};
  mount.environment = {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}};
  auto mounted = real_.processes->run(mount, Seconds(10), {});
  if (!mounted.ok() || !mounted->ok()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  auto outcome = lay_out_in(mount_point + "/data");
  auto control = there(mount_point + "/data/global/pg_control");
  auto unmount = mount;
  unmount.argv = {"umount", mount_point};
  ASSERT_TRUE(real_.processes->run(unmount, Seconds(10), {})->ok());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::no_space) << outcome.error().text();
  EXPECT_FALSE(control);
}

TEST(LayoutPaths, MapsTablespaces) {
  LayoutPaths paths("/r", {{7, "/fast/seven"}});
  EXPECT_EQ(paths.place("base/1/2")->path, "/r/base/1/2");
  EXPECT_EQ(paths.place("global/pg_control")->path, "/r/global/pg_control.lifeboat");
  EXPECT_EQ(paths.place("pg_tblspc/7/PG/1")->path, "/fast/seven/PG/1");
  EXPECT_EQ(paths.place("pg_tblspc/8/PG/1")->path, "/r/lifeboat_tablespaces/8/PG/1");
  EXPECT_EQ(*paths.place("pg_tblspc/8/PG/1")->tablespace, 8u);
  EXPECT_TRUE(paths.place("pg_tblspc/8")->skip);
  EXPECT_TRUE(paths.place("pg_wal/000000010000000000000001")->skip);
  EXPECT_FALSE(paths.place("pg_wal")->skip);
}

TEST(Superuser, IsReadFromTheFilesAlsoWhenRenamed) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = test::PostgresServer::start();
  auto files = real_files();
  server->sql("CHECKPOINT");
  EXPECT_EQ(*bootstrap_superuser(*files, server->data()), "postgres");
  server->sql(
      "CREATE ROLE other SUPERUSER; SET SESSION AUTHORIZATION other;"
      " ALTER ROLE postgres RENAME TO \"the captain\"; CHECKPOINT");
  EXPECT_EQ(*bootstrap_superuser(*files, server->data()), "the captain");
}

TEST(Superuser, NonsenseIsRefused) {
  EXPECT_FALSE(authid_filenode(Buffer(512)).ok());
  EXPECT_FALSE(authid_filenode(Buffer(3)).ok());
  for (int fill = 0; fill < 256; fill += 5) {
    (void)superuser_in_pages(Buffer(3 * 8192, static_cast<std::uint8_t>(fill)));
  }
  EXPECT_EQ(superuser_in_pages(Buffer(8192)), "");
}

}  // namespace
}  // namespace lb::pg
