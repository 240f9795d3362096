// Backups of the files store: what is saved, what is not read again, what is told.
#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/files/test_world.h"
#include "stores/files/unchanged.h"

namespace lb::files {
namespace {

class FilesBackup : public FilesStoreTest {
 protected:
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    auto rows = parent_->rows().take();
    for (auto row = rows->next().take(); row; row = rows->next().take()) {
      out.push_back(path_of(row->key));
    }
    return out;
  }
  Attributes attributes(const std::string& path) {
    auto row = parent_->find(key_of(path)).take();
    EXPECT_TRUE(row) << path;
    return row ? decode_attributes(row->attributes).take() : Attributes();
  }
  std::int64_t detail(const std::string& name) {
    return parse_json(parent_->info().meta.details).take()[name].integer(-1);
  }
};

TEST_F(FilesBackup, SavesEveryKindWithItsAttributes) {
  write(at("dir/file"), "hello", 0640);
  ASSERT_TRUE(files_.make_symlink("dir/file", at("link")).ok());
  ASSERT_TRUE(files_.make_special(at("pipe"), FileKind::fifo, 0622, 0).ok());
  ASSERT_TRUE(files_.make_special(at("sock"), FileKind::socket, 0700, 0).ok());
  ASSERT_TRUE(files_.set_xattr(at("dir/file"), "user.note", view_of("value")).ok());
  ASSERT_TRUE(files_.set_mtime(at("dir/file"), 1'234'567'890'123'456'789).ok());
  auto outcome = backup();
  EXPECT_EQ(outcome.unread, Lines{});
  EXPECT_EQ(outcome.snapshot.meta.warnings, Lines{"sock: a socket, not saved"});
  EXPECT_EQ(keys(), (Lines{"", "dir", "dir/file", "link", "pipe"}));
  auto file = attributes("dir/file");
  EXPECT_EQ(file.mode, 0640u);
  EXPECT_EQ(file.mtime_ns, 1'234'567'890'123'456'789);
  EXPECT_EQ(file.uid, info(at("dir/file")).uid);
  EXPECT_EQ(file.user.empty(), false);
  ASSERT_EQ(file.xattrs.size(), 1u);
  EXPECT_EQ(file.xattrs[0].first, "user.note");
  EXPECT_EQ(attributes("link").link_target, "dir/file");
  EXPECT_EQ(attributes("pipe").kind, FileKind::fifo);
  EXPECT_EQ(outcome.snapshot.meta.kind, "files");
  EXPECT_EQ(outcome.snapshot.meta.host, "host");
  EXPECT_EQ(detail("files"), 1);
  EXPECT_EQ(detail("sockets"), 1);
}

TEST_F(FilesBackup, UnchangedFilesAreNotReadAgain) {
  for (int n = 0; n < 300; ++n) write(at(cat("d", n % 7, "/f", n)), std::string(1000, 'x'));
  backup();
  files_.bytes_read = files_.opened = 0;
  auto second = backup();
  // Only the two lists of user names were opened.
  EXPECT_LE(files_.opened, 2u);
  auto names = read_file(files_, "/etc/passwd", 1 << 20)->size() +
               read_file(files_, "/etc/group", 1 << 20)->size();
  EXPECT_LE(files_.bytes_read - names, names);
  EXPECT_EQ(detail("unchanged"), 300);
  EXPECT_EQ(detail("read"), 0);
  EXPECT_EQ(second.snapshot.logical_bytes, 300'000u);
  EXPECT_FALSE(second.snapshot.meta.parent.empty());
  write(at("d1/f1"), "new");
  backup();
  EXPECT_EQ(detail("read"), 1);
  EXPECT_EQ(detail("unchanged"), 299);
}

TEST_F(FilesBackup, TellsHowMuchThereIsWhenItIsTheFirst) {
  for (int n = 0; n < 5; ++n) write(at(cat("d/f", n)), std::string(1000, 'x'));
  ASSERT_TRUE(files_.link(at("d/f1"), at("d/again")).ok());
  write(at("cache/left-out"), std::string(7000, 'x'));
  SourceOptions options;
  options.store = "media";
  options.root = source_;
  options.exclude = {"cache/"};
  Progress last;
  auto keep = [&](const Progress& progress) { last = progress; };
  BackupContext context{world_, *repository_, nullptr, {}, keep, 3, "host"};
  ASSERT_TRUE(make_source(options)->backup(context).ok());
  EXPECT_EQ(last.total_bytes, 5000u);
  EXPECT_EQ(last.done_bytes, 5000u);
}

// Written again within the tick of the clock in which the backup ran: the times cannot tell.
TEST_F(FilesBackup, FilesOfTheLastMomentAreReadAgain) {
  write(at("old"), "old");
  write(at("fresh"), "first");
  auto fresh = info(at("fresh"));
  ASSERT_TRUE(files_.set_mtime(at("old"), fresh.mtime_ns - 3'600'000'000'000).ok());
  clock_.set_wall(from_micros(info(at("old")).ctime_ns / 1000));
  backup();
  files_.bytes_read = 0;
  backup();
  EXPECT_EQ(detail("read"), 2);  // ctime of both is the moment of the backup
}

TEST(Unchanged, Table) {
  Attributes then;
  then.mtime_ns = then.ctime_ns = 1'000'000'000'000;
  then.inode = 7;
  FileInfo now;
  now.mtime_ns = now.ctime_ns = then.mtime_ns;
  now.inode = 7;
  now.size = 10;
  auto later = from_micros(1'010'000'000), just = from_micros(1'001'000'000);
  EXPECT_TRUE(is_unchanged(now, then, 10, later));
  EXPECT_FALSE(is_unchanged(now, then, 10, just));
  EXPECT_FALSE(is_unchanged(now, then, 11, later));
  auto differs = [&](auto change) {
    auto other = now;
    auto old = then;
    change(other, old);
    return !is_unchanged(other, old, 10, later);
  };
  EXPECT_TRUE(differs([](FileInfo& info, Attributes&) { info.mtime_ns += 1; }));
  EXPECT_TRUE(differs([](FileInfo& info, Attributes&) { info.ctime_ns += 1; }));
  EXPECT_TRUE(differs([](FileInfo& info, Attributes&) { info.inode += 1; }));
  EXPECT_TRUE(differs([](FileInfo& info, Attributes&) { info.kind = FileKind::fifo; }));
  EXPECT_TRUE(differs([](FileInfo&, Attributes& old) { old.complete = false; }));
  EXPECT_TRUE(differs([](FileInfo&, Attributes& old) { old.hard_link_to = "x"; }));
}

TEST_F(FilesBackup, FirstNameOfAHardLinkHoldsTheContent) {
  write(at("b/one"), "content");
  write(at("single"), "x");
  ASSERT_TRUE(files_.link(at("b/one"), at("a-two")).ok());
  ASSERT_TRUE(files_.link(at("b/one"), at("c")).ok());
  auto outcome = backup();
  EXPECT_EQ(attributes("a-two").hard_link_to, "");
  EXPECT_EQ(attributes("a-two").links, 3u);
  EXPECT_EQ(attributes("b/one").hard_link_to, "a-two");
  EXPECT_EQ(attributes("c").hard_link_to, "a-two");
  EXPECT_EQ(outcome.snapshot.logical_bytes, 8u);
  backup();
  EXPECT_EQ(detail("read"), 0);
  EXPECT_EQ(attributes("c").hard_link_to, "a-two");
}

TEST_F(FilesBackup, NextNameTakesOverWhenTheFirstCannotBeRead) {
  write(at("a"), "content");
  ASSERT_TRUE(files_.link(at("a"), at("b")).ok());
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "open_read" && path == at("a")) return Error(ErrorKind::denied, "no");
    return {};
  };
  auto outcome = backup();
  EXPECT_EQ(outcome.unread, Lines{"a: permission denied"});
  EXPECT_EQ(attributes("b").hard_link_to, "");
  EXPECT_EQ(parent_->find(key_of("b")).take()->size, 7u);
  EXPECT_FALSE(attributes("a").complete);
}

// "a" is replaced by another file between the walk and the read: "b" is no link to that one.
TEST_F(FilesBackup, NameThatLeadsToAnotherFileByNowTakesNoLinks) {
  write(at("a"), "shared");
  ASSERT_TRUE(files_.link(at("a"), at("b")).ok());
  write(folder_ / "new", "other content");
  std::atomic<bool> replaced = false;
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call != "open_read" || path != at("a") || replaced.exchange(true)) return {};
    return real_files()->rename(folder_ / "new", at("a"));
  };
  auto outcome = backup();
  EXPECT_EQ(outcome.unread, Lines{});
  EXPECT_EQ(parent_->find(key_of("a")).take()->size, 13u);
  EXPECT_EQ(attributes("b").hard_link_to, "");
  EXPECT_EQ(parent_->find(key_of("b")).take()->size, 6u);
}

TEST_F(FilesBackup, UnreadableAndVanishedAreToldAndTheRestIsSaved) {
  for (const char* name : {"gone", "locked", "ok", "torn", "dir/x", "lost"})
    write(at(name), "data");
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "open_read" && path == at("gone")) return Error(ErrorKind::not_found, "no");
    if (call == "open_read" && path == at("locked")) return Error(ErrorKind::denied, "no");
    if (call == "read_at" && path == at("torn")) return Error(ErrorKind::unavailable, "disk error");
    if (call == "list" && path == at("dir")) return Error(ErrorKind::denied, "no");
    if (call == "info" && path == at("lost")) return Error(ErrorKind::not_found, "no");
    return {};
  };
  auto outcome = backup();
  EXPECT_EQ(outcome.unread, (Lines{"dir: permission denied", "gone: vanished while the backup ran",
                                   "locked: permission denied",
                                   "lost: vanished while the backup ran", "torn: disk error"}));
  EXPECT_EQ(keys(), (Lines{"", "dir", "locked", "ok", "torn"}));
  EXPECT_FALSE(attributes("dir").complete);
  EXPECT_FALSE(attributes("torn").complete);
  EXPECT_EQ(outcome.snapshot.meta.warnings, outcome.unread);
  files_.hook = nullptr;
  auto second = backup();  // what was unread is read as soon as it can be
  EXPECT_EQ(second.unread, Lines{});
  EXPECT_EQ(keys(), (Lines{"", "dir", "dir/x", "gone", "locked", "lost", "ok", "torn"}));
  EXPECT_EQ(parent_->find(key_of("torn")).take()->size, 4u);
}

TEST_F(FilesBackup, FileThatChangesWhileReadIsReadOnceMore) {
  write(at("busy"), "before");
  std::atomic<int> changes = 1;
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call != "read_at" || path != at("busy") || changes-- <= 0) return {};
    auto file = real_files()->open_write(path).take();
    return file->write_at(view_of("after!"), 0);
  };
  auto calm = backup();
  EXPECT_EQ(calm.unread, Lines{});
  changes = 1000;
  write(at("busy"), "once more");
  auto restless = backup();
  EXPECT_EQ(restless.unread, Lines{"busy: changed while it was read; saved as read"});
  EXPECT_TRUE(attributes("busy").complete);
  EXPECT_EQ(parent_->find(key_of("busy")).take()->size, 9u);
}

TEST_F(FilesBackup, HolesAreNotRead) {
  auto file = files_.create(at("sparse"), 0600).take();
  ASSERT_TRUE(file->truncate(1ull << 32).ok());
  ASSERT_TRUE(file->write_at(view_of("middle"), 1ull << 31).ok());
  ASSERT_TRUE(file->close().ok());
  files_.bytes_read = 0;
  backup();
  EXPECT_LT(files_.bytes_read, 1u << 20);
  auto row = parent_->find(key_of("sparse")).take();
  EXPECT_EQ(row->size, 1ull << 32);
  EXPECT_LT(parent_->info().logical_bytes, 1u << 20);
}

TEST_F(FilesBackup, RepositoryInsideTheRootIsLeftOut) {
  write(at("x"), "x");
  write(at("backups/repo/p/1"), "pack");
  ASSERT_TRUE(files_.make_symlink(at("backups/repo"), folder_ / "by-link").ok());
  SourceOptions options;
  options.skip = {folder_ / "by-link"};
  backup(options);
  EXPECT_EQ(keys(), (Lines{"", "backups", "x"}));
}

TEST_F(FilesBackup, PatternsDecideAndAWrongOneIsRefused) {
  write(at("a.log"), "x");
  write(at("keep/b.txt"), "x");
  SourceOptions options;
  options.exclude = {"*.log"};
  backup(options);
  EXPECT_EQ(keys(), (Lines{"", "keep", "keep/b.txt"}));
  options.exclude = {"[a"};
  options.root = source_;
  EXPECT_EQ(try_backup(options).error().kind(), ErrorKind::invalid);
}

TEST_F(FilesBackup, MissingRootIsStoreUnreachable) {
  SourceOptions options;
  options.root = folder_ / "nowhere";
  auto outcome = try_backup(options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().exit_code(), ExitCode::store_unreachable);
  auto diagnosis = make_source(options)->diagnose(world_, {});
  ASSERT_FALSE(diagnosis.ok());
  EXPECT_EQ(diagnosis.error().exit_code(), ExitCode::store_unreachable);
}

TEST_F(FilesBackup, DoctorTellsWhatIsThereAndWhatIsNot) {
  SourceOptions options;
  options.root = source_;
  auto empty = make_source(options)->diagnose(world_, {}).take();
  EXPECT_TRUE(std::any_of(empty.begin(), empty.end(), [](const Diagnosis& d) { return !d.ok; }));
  write(at("a"), "12345");
  write(at("b"), "12345");
  auto good = make_source(options)->diagnose(world_, {}).take();
  EXPECT_TRUE(std::all_of(good.begin(), good.end(), [](const Diagnosis& d) { return d.ok; }));
  EXPECT_NE(good[1].text.find("2 files, 10 B"), std::string::npos) << good[1].text;
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "open_read" && path == at("b")) return Error(ErrorKind::denied, "no");
    return {};
  };
  auto locked = make_source(options)->diagnose(world_, {}).take();
  EXPECT_FALSE(locked[2].ok);
  EXPECT_NE(locked[2].text.find("for example b"), std::string::npos);
}

TEST_F(FilesBackup, StopAndRepositoryFailureEndTheBackup) {
  for (int n = 0; n < 500; ++n) write(at(cat("f", n)), "data");
  std::stop_source stop;
  std::atomic<int> opened = 0;
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "open_read" && ++opened == 100) stop.request_stop();
    return {};
  };
  SourceOptions options;
  options.store = "media";
  options.root = source_;
  auto stopped = try_backup(options, stop.get_token());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(stopped.error().exit_code(), ExitCode::interrupted);
  files_.hook = nullptr;
  auto& full = repository_.failing(
      {.fault = BlobFault::full, .lasting = true, .only = BlobCall::put, .prefix = "p/"});
  auto failed = try_backup_into(full, options);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind(), ErrorKind::exhausted);
  EXPECT_TRUE(repository_->snapshots()->empty());
}

// More content than a pack holds, so that the failure meets readers at work.
TEST_F(FilesBackup, RepositoryThatFillsUpWhileReadingEndsTheBackup) {
  for (int n = 0; n < 24; ++n) write(at(cat("f", n)), text_of(random_->bytes(4 << 20)));
  auto& full = repository_.failing(
      {.fault = BlobFault::full, .lasting = true, .only = BlobCall::put, .prefix = "p/"});
  SourceOptions options;
  options.store = "media";
  options.root = source_;
  auto failed = try_backup_into(full, options);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind(), ErrorKind::exhausted) << failed.error().text();
}

TEST_F(FilesBackup, ParentThatCannotBeReadOnlyCostsReading) {
  for (int n = 0; n < 50; ++n) write(at(cat("f", n)), "data");
  auto first = backup();
  // Opening needs the verdict alone; the table of rows comes back damaged.
  auto& damaged = repository_.failing(
      {.nth = 0, .fault = BlobFault::flip, .lasting = true, .only = BlobCall::get_range});
  parent_ = damaged.snapshot(first.snapshot.id).take();
  SourceOptions options;
  options.store = "media";
  options.root = source_;
  auto second = try_backup(options);
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_TRUE(second->unread.empty());
  ASSERT_EQ(second->snapshot.meta.warnings.size(), 1u);
  EXPECT_NE(second->snapshot.meta.warnings[0].find("files were read again"), std::string::npos);
  EXPECT_EQ(second->snapshot.rows, 51u);
}

}  // namespace
}  // namespace lb::files
