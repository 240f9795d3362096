// lay_out() over what is there already: whatever lies in the folder, what comes out is what a plain
// restore gives, and nothing outside of it is touched.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/text.h"
#include "foundation/sys/cached_bytes.h"
#include "storage/repo/test_repository.h"
#include "stores/postgres/source.h"
#include "stores/postgres/taken_backup.h"
#include "stores/postgres/target_folder.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::pg {
namespace {

namespace fs = std::filesystem;

class LayoutOver : public testing::Test {
 protected:
  void SetUp() override {
    auto& clock = *real_.clock;
    ASSERT_TRUE(repo::init_repository(blobs_, clock, *random_, key_, repo::cheap_keys).ok());
    repository_ = repo::open_repository(blobs_, clock, *random_, key_, repo::small_budget).take();
    test::write_text(temporary_ / "outside/file", "not ours");
    test::write_text(temporary_ / "outside/folder/5/16384", "not ours either");
    make_snapshot();
    ASSERT_TRUE(lay_out_in(plain_, false).ok());
    wanted_ = tree(plain_);
  }

  void put(repo::SnapshotWriter& writer, const std::string& key, const std::string& bytes) {
    auto stream = writer.open(key, repo::Cut::pages).take();
    if (!bytes.empty()) stream->write(view_of(bytes)).take();
    stream->finish(encode(FileAttributes{})).take();
  }

  void make_snapshot() {
    auto writer = repository_->begin("db", nullptr, {}).take();
    FileAttributes folder;
    folder.kind = FileAttributes::Kind::directory;
    for (const char* key : {"base", "base/5", "base/pgsql_tmp", "pg_wal", "pg_wal/archive_status"})
      writer->add(key, encode(folder)).take();
    for (int i = 0; i < 30; ++i) {
      put(*writer, cat("base/5/", 16384 + i),
          repo::noise(static_cast<std::uint64_t>(i), random_->below(400'000)));
    }
    put(*writer, "base/5/16300", {});
    put(*writer, "base/51", "a file beside the folder");
    auto sparse = writer->open("base/5/20000", repo::Cut::pages).take();
    sparse->write_last(view_of(repo::noise(77, 16384))).take();
    sparse->hole(1 << 20).take();
    sparse->write(view_of(repo::noise(78, 8192))).take();
    sparse->hole(300'000).take();
    sparse->finish(encode(FileAttributes{})).take();
    put(*writer, "PG_VERSION", "15\n");
    put(*writer, "global/pg_control", std::string(8192, 'c'));
    put(*writer, "global/1260", repo::noise(79, 8192));
    put(*writer, "lifeboat_tablespaces/16500/left", "behind");
    put(*writer, "pg_tblspc/16500/PG_15_202209061/5/16600", repo::noise(80, 300'000));
    put(*writer, "pg_tblspc/16500/PG_15_202209061/5/16601", repo::noise(81, 300));
    put(*writer, "postmaster.pid", "1\n");
    put(*writer, "pg_replslot/lost/state", "lost");
    writer->attach(attachment_backup_label, view_of("START WAL LOCATION: 0/1\n")).take();
    snapshot_ = writer->commit({}).take().id;
  }

  Result<RestoreOutcome> lay_out_in(const std::string& folder, bool over, std::stop_token stop = {},
                                    ProgressSink progress = {}) {
    LayoutOptions options;
    options.folder = folder;
    options.over_present = over;
    options.change_owner = false;
    options.progress = std::move(progress);
    if (!mapped_.empty()) options.tablespaces = {{16500, mapped_}};
    auto reader = LB_TRY(repository_->snapshot(snapshot_));
    return lay_out(real_.world, *reader, options, stop);
  }

  // Everything but the times. Links within the folder are shown without it.
  static std::map<std::string, std::string> tree(const std::string& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      auto& text = out[entry.path().lexically_relative(folder).string()];
      if (entry.is_symlink()) {
        text = cat("link ", replace_all(fs::read_symlink(entry.path()).string(), folder, "@"));
        continue;
      }
      auto mode = static_cast<unsigned>(entry.status().permissions());
      text = cat(mode, entry.is_directory() ? " folder" : test::read_text(entry.path().string()));
    }
    return out;
  }
  void expect_restored() {
    auto outcome = lay_out_in(spoiled_, true);
    ASSERT_TRUE(outcome.ok()) << outcome.error().text();
    auto got = tree(spoiled_);
    for (const auto& [path, text] : wanted_) EXPECT_TRUE(got[path] == text) << path;
    for (const auto& [path, text] : got) EXPECT_TRUE(wanted_.contains(path)) << "extra: " << path;
    kept_ = outcome->kept_bytes;
    bytes_ = outcome->bytes;
  }
  void begin_spoiled() {
    fs::remove_all(spoiled_);
    fs::copy(plain_, spoiled_, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    auto link = spoiled_ + "/pg_tblspc/16500";
    fs::remove(link);
    fs::create_symlink(spoiled_ + "/lifeboat_tablespaces/16500", link);
  }
  void spoil_once();

  RealWorld real_;
  MemoryBlobStore blobs_;
  std::unique_ptr<Random> random_ = seeded_random(5);
  Secret key_{std::string_view("correct horse battery staple")};
  std::unique_ptr<repo::Repository> repository_;
  std::string snapshot_, mapped_;
  test::TempDir temporary_;
  const std::string plain_ = temporary_ / "plain", spoiled_ = temporary_ / "spoiled";
  std::map<std::string, std::string> wanted_;
  std::uint64_t kept_ = 0, bytes_ = 0;
};

// One thing goes wrong with one file, folder or link of the copy.
void LayoutOver::spoil_once() {
  std::vector<fs::path> files, all;
  for (const auto& entry : fs::recursive_directory_iterator(spoiled_)) {
    all.push_back(entry.path());
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  if (files.empty()) return;
  auto file = files[random_->below(files.size())];
  auto other = files[random_->below(files.size())];
  auto size = fs::file_size(file);
  switch (random_->below(11)) {
    case 0: {  // flipped bytes
      std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
      for (int i = 0; i < 3 && size > 0; ++i) {
        out.seekp(static_cast<std::streamoff>(random_->below(size)));
        out.put(static_cast<char>(random_->below(256)));
      }
      return;
    }
    case 1:
      return fs::resize_file(file, random_->below(size + 1));
    case 2:
      return fs::resize_file(file, size + random_->below(200'000));
    case 3:
      fs::remove(file);
      return;
    case 4:
      return test::write_text(file.string() + ".extra", "extra");
    case 5: {  // swapped
      fs::rename(file, file.string() + ".swap");
      if (file != other) fs::rename(other, file);
      fs::rename(file.string() + ".swap", other);
      return;
    }
    case 6:  // a folder in place of a file
      fs::remove(file);
      fs::create_directories(file / "deep/er");
      return test::write_text((file / "deep/inside").string(), "inside");
    case 7: {  // a file in place of whatever there is
      auto any = all[random_->below(all.size())];
      fs::remove_all(any);
      return test::write_text(any.string(), "in the way");
    }
    case 8:  // another name outside of the folder
      fs::create_hard_link(file, temporary_ / cat("outside/link", random_->below(1'000'000)));
      return;
    case 9: {  // a link to a folder or file outside, in place of whatever there is
      auto any = all[random_->below(all.size())];
      bool folder = fs::is_directory(any) && !fs::is_symlink(any);
      fs::remove_all(any);
      fs::create_symlink(temporary_ / (folder ? "outside/folder" : "outside/file"), any);
      return;
    }
    default:
      fs::permissions(file, fs::perms::all);
      return;
  }
}

TEST_F(LayoutOver, WhateverLiesThereTheOutcomeIsThatOfAPlainRestore) {
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(cat("round ", round));
    begin_spoiled();
    auto times = 1 + random_->below(6);
    for (std::uint64_t i = 0; i < times; ++i) spoil_once();
    auto outside = tree(temporary_ / "outside");
    expect_restored();
    EXPECT_TRUE(tree(temporary_ / "outside") == outside);
    if (HasFailure()) return;
    for (const auto& entry : fs::directory_iterator(temporary_ / "outside")) {
      if (entry.path().filename().string().starts_with("link")) fs::remove(entry.path());
    }
  }
}

// Rows as a backup of changed pages alone leaves them: parts of old chunks around new pages.
TEST_F(LayoutOver, RowsOfPartsAsWell) {
  auto parent = repository_->snapshot(snapshot_).take();
  auto writer = repository_->begin("db", parent.get(), {}).take();
  for (const auto& row : repo::all_rows(*parent).take()) {
    constexpr std::uint64_t page = 8192;
    if (row.size < 4 * page || row.key.starts_with("global/")) {
      writer->reuse(row, row.attributes).take();
      continue;
    }
    auto stream = writer->open(row.key, repo::Cut::pages).take();
    auto changed = page * random_->below(row.size / page);
    if (changed > 0) stream->reuse(row, 0, changed).take();
    auto end = changed + page;
    stream->write_apart(view_of(repo::noise(changed + 1000, page))).take();
    if (end < row.size) stream->reuse(row, end, row.size - end).take();
    stream->finish(row.attributes).take();
  }
  writer->attach(attachment_backup_label, view_of("START WAL LOCATION: 0/2\n")).take();
  begin_spoiled();  // from the older point
  snapshot_ = writer->commit({}).take().id;
  fs::remove_all(plain_);
  ASSERT_TRUE(lay_out_in(plain_, false).ok());
  wanted_ = tree(plain_);
  expect_restored();
  EXPECT_LE(bytes_ - kept_, 35u * 8192) << "the pages that changed, and pg_control";
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i) spoil_once();
    expect_restored();
    if (HasFailure()) return;
  }
}

TEST_F(LayoutOver, NothingIsWrittenThroughLinksAndOtherNames) {
  begin_spoiled();
  auto tablespace = spoiled_ + "/lifeboat_tablespaces/16500/PG_15_202209061";
  fs::remove_all(tablespace);
  fs::create_symlink(temporary_ / "outside/folder", tablespace);
  fs::create_hard_link(spoiled_ + "/base/5/16385", temporary_ / "outside/another-name");
  fs::resize_file(temporary_ / "outside/another-name", 100);
  auto outside = tree(temporary_ / "outside");
  expect_restored();
  EXPECT_TRUE(tree(temporary_ / "outside") == outside);
}

TEST_F(LayoutOver, WhatIsThereIsKept) {
  begin_spoiled();
  expect_restored();
  EXPECT_EQ(bytes_ - kept_, 8192u) << "pg_control alone is laid out anew";
}

TEST_F(LayoutOver, OnlyPagesThatDifferAreWritten) {
  begin_spoiled();
  std::fstream out(spoiled_ + "/lifeboat_tablespaces/16500/PG_15_202209061/5/16600",
                   std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(100'000);
  out.put('x').put('y');
  out.close();
  expect_restored();
  EXPECT_EQ(bytes_ - kept_, 8192u + 8192u) << "the page, and pg_control";
}

TEST_F(LayoutOver, AnEmptyOrMissingFolderIsFilled) {
  expect_restored();
  fs::remove_all(spoiled_);
  fs::create_directory(spoiled_);
  expect_restored();
  EXPECT_EQ(kept_, 0u);
}

TEST_F(LayoutOver, AMappedTablespaceKeepsWhatOthersHaveThere) {
  mapped_ = temporary_ / "mapped";
  begin_spoiled();
  test::write_text(mapped_ + "/PG_16_202307071/5/1", "of a newer server");
  test::write_text(mapped_ + "/PG_15_202209061/5/16600", "old");
  test::write_text(mapped_ + "/PG_15_202209061/6/1", "of a database that is no more");
  auto outcome = lay_out_in(spoiled_, true);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(test::read_text(mapped_ + "/PG_16_202307071/5/1"), "of a newer server");
  EXPECT_EQ(fs::file_size(mapped_ + "/PG_15_202209061/5/16600"), 300'000u);
  EXPECT_FALSE(fs::exists(mapped_ + "/PG_15_202209061/6"));
  EXPECT_FALSE(fs::exists(spoiled_ + "/lifeboat_tablespaces"));
  EXPECT_EQ(fs::read_symlink(spoiled_ + "/pg_tblspc/16500"), mapped_);
  fs::remove_all(spoiled_);
  auto plain = lay_out_in(spoiled_, false);
  ASSERT_FALSE(plain.ok()) << "a tablespace's place that is not empty is refused";
  EXPECT_EQ(plain.error().exit_code(), ExitCode::refused);
}

// At every moment nothing can start there, and the next attempt goes on to the same end.
TEST_F(LayoutOver, StoppedAnywhereItGoesOn) {
  for (int after = 0; after < 40; after += 3) {
    begin_spoiled();
    for (int i = 0; i < 5; ++i) spoil_once();
    std::stop_source stop;
    std::atomic<int> calls = 0;
    auto outcome = lay_out_in(spoiled_, true, stop.get_token(), [&](const Progress&) {
      EXPECT_FALSE(fs::exists(spoiled_ + "/global/pg_control"));
      if (calls++ == after) stop.request_stop();
    });
    EXPECT_EQ(fs::exists(spoiled_ + "/global/pg_control"), outcome.ok());
    expect_restored();
    if (HasFailure()) return;
  }
}

TEST(TargetFolder, KnowsADataDirectoryAndItsServer) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto files = real_files();
  test::TempDir temporary;
  test::write_text(temporary / "letters/one", "dear");
  auto letters = look_at_present_data(*files, temporary / "letters");
  ASSERT_FALSE(letters.ok());
  EXPECT_EQ(letters.error().exit_code(), ExitCode::refused);
  auto server = test::PostgresServer::start();
  auto identifier = server->value("SELECT system_identifier FROM pg_control_system()");
  auto running = look_at_present_data(*files, server->data());
  ASSERT_FALSE(running.ok());
  EXPECT_EQ(running.error().exit_code(), ExitCode::refused);
  EXPECT_NE(running.error().text().find("running server"), std::string::npos);
  EXPECT_NE(running.error().hint().find("pg_ctl stop"), std::string::npos);
  // Without its lock file it still works there.
  fs::rename(server->data() + "/postmaster.pid", server->data() + "/hidden");
  EXPECT_FALSE(look_at_present_data(*files, server->data()).ok());
  fs::rename(server->data() + "/hidden", server->data() + "/postmaster.pid");
  server->stop(test::StopMode::kill);
  ASSERT_TRUE(fs::exists(server->data() + "/postmaster.pid")) << "left by a killed server";
  auto stopped = look_at_present_data(*files, server->data());
  ASSERT_TRUE(stopped.ok()) << stopped.error().text();
  EXPECT_EQ(stopped->system_identifier, identifier);
  fs::remove(server->data() + "/global/pg_control");
  EXPECT_FALSE(look_at_present_data(*files, server->data())->system_identifier);
}

// A server may start on the folder next, with what was in memory of it.
TEST_F(LayoutOver, WhatIsKeptStaysInMemory) {
  constexpr std::size_t size = 6 << 20;
  auto writer = repository_->begin("db", nullptr, {}).take();
  put(*writer, "base/5/30000", repo::noise(90, size));
  put(*writer, "global/pg_control", std::string(8192, 'c'));
  writer->attach(attachment_backup_label, view_of("START WAL LOCATION: 0/1\n")).take();
  auto reader = repository_->snapshot(writer->commit({}).take().id).take();
  LayoutOptions options;
  options.folder = temporary_ / "large";
  options.change_owner = false;
  options.write_behind = true;
  ASSERT_TRUE(lay_out(real_.world, *reader, options, {}).ok());
  const auto path = options.folder + "/base/5/30000";
  const auto wanted = test::read_text(path);
  ASSERT_EQ(test::cached_bytes(path, size), size) << "as after work of a server";
  options.over_present = true;
  EXPECT_EQ(lay_out(real_.world, *reader, options, {})->kept_bytes, size);
  EXPECT_EQ(test::cached_bytes(path, size), size);
  fs::resize_file(path, size / 2);
  ASSERT_TRUE(lay_out(real_.world, *reader, options, {}).ok());
  EXPECT_TRUE(test::read_text(path) == wanted);
}

}  // namespace
}  // namespace lb::pg
