// Restores of the files store: places, modes, what is left alone, what is refused.
#include <unistd.h>

#include <set>

#include "foundation/base/text.h"
#include "stores/files/test_world.h"

namespace lb::files {
namespace {

class FilesRestore : public FilesStoreTest {};

TEST_F(FilesRestore, BringsBackEveryKind) {
  write(at("dir/file"), "hello", 0640);
  write(at("dir/empty"), "");
  write(at("tool"), "#!", 0755);
  ASSERT_TRUE(files_.make_symlink("../outside", at("link")).ok());
  ASSERT_TRUE(files_.make_special(at("pipe"), FileKind::fifo, 0622, 0).ok());
  ASSERT_TRUE(files_.set_mode(at("pipe"), 0622).ok());
  ASSERT_TRUE(files_.set_xattr(at("dir/file"), "user.note", view_of("value")).ok());
  ASSERT_TRUE(files_.set_mtime(at("dir/file"), -5'000'000'001).ok());
  ASSERT_TRUE(files_.set_mtime(at("link"), 7'000'000'007).ok());
  ASSERT_TRUE(files_.set_mode(at("dir"), 0500).ok());
  ASSERT_TRUE(files_.set_mtime(at("dir"), 9'000'000'009).ok());
  ASSERT_TRUE(files_.set_mtime(source_, 11'000'000'011).ok());
  backup();
  auto outcome = restore_all(to_target());
  EXPECT_EQ(outcome.items, 7u);
  EXPECT_EQ(outcome.bytes, 7u);
  EXPECT_EQ(outcome.warnings, Lines{});
  EXPECT_EQ(names(target_), (Lines{"dir", "dir/empty", "dir/file", "link", "pipe", "tool"}));
  EXPECT_EQ(read(back("dir/file")), "hello");
  EXPECT_EQ(info(back("dir/file")).mode, 0640u);
  EXPECT_EQ(info(back("dir/file")).mtime_ns, -5'000'000'001);
  EXPECT_EQ(text_of(files_.get_xattr(back("dir/file"), "user.note").take()), "value");
  EXPECT_EQ(info(back("tool")).mode, 0755u);
  EXPECT_EQ(files_.read_link(back("link")).take(), "../outside");
  EXPECT_EQ(info(back("link")).mtime_ns, 7'000'000'007);
  EXPECT_EQ(info(back("pipe")).kind, FileKind::fifo);
  EXPECT_EQ(info(back("pipe")).mode, 0622u);
  EXPECT_EQ(info(back("dir")).mode, 0500u);
  EXPECT_EQ(info(back("dir")).mtime_ns, 9'000'000'009);
  EXPECT_EQ(info(target_).mtime_ns, 11'000'000'011);
}

TEST_F(FilesRestore, HolesStayHolesAndLinksStayLinks) {
  auto file = files_.create(at("sparse"), 0600).take();
  ASSERT_TRUE(file->truncate(1ull << 30).ok());
  ASSERT_TRUE(file->write_at(view_of("middle"), 1ull << 29).ok());
  ASSERT_TRUE(file->close().ok());
  write(at("z/one"), "content");
  ASSERT_TRUE(files_.link(at("z/one"), at("a")).ok());
  backup();
  restore_all(to_target());
  auto sparse = info(back("sparse"));
  EXPECT_EQ(sparse.size, 1ull << 30);
  EXPECT_LT(sparse.allocated, 1u << 20);
  Buffer middle(6);
  ASSERT_TRUE(files_.open_read(back("sparse")).take()->read_at(middle, 1ull << 29).ok());
  EXPECT_EQ(text_of(middle), "middle");
  EXPECT_EQ(info(back("a")).inode, info(back("z/one")).inode);
  EXPECT_EQ(info(back("a")).links, 2u);
  EXPECT_EQ(read(back("z/one")), "content");
  restore_all(to_target());  // again, over itself
  EXPECT_EQ(info(back("a")).links, 2u);
  EXPECT_EQ(names(target_), (Lines{"a", "sparse", "z", "z/one"}));
}

TEST_F(FilesRestore, OnlyWhatWasAskedFor) {
  for (const char* name : {"a/b/c", "a/b2/c", "a-b/c", "q/r"}) write(at(name), "x");
  ASSERT_TRUE(files_.set_mode(at("a"), 0711).ok());
  backup();
  auto options = to_target();
  options.only = {"/a/b/", "q/r", "a/b/c"};
  restore_all(options);
  EXPECT_EQ(names(target_), (Lines{"a", "a/b", "a/b/c", "q", "q/r"}));
  EXPECT_EQ(info(back("a")).mode, 0711u);
  ASSERT_TRUE(files_.set_mode(back("a"), 0700).ok());
  restore_all(options);
  EXPECT_EQ(info(back("a")).mode, 0700u) << "a folder that only leads there is left alone";
  options.only = {"nothing"};
  auto missing = restore(world_, *parent_, options, {}, {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  options.only = {"../up"};
  EXPECT_EQ(restore(world_, *parent_, options, {}, {}).error().kind(), ErrorKind::invalid);
}

TEST_F(FilesRestore, HardLinkWhoseFirstNameIsNotAskedFor) {
  write(at("a"), "content", 0604);
  ASSERT_TRUE(files_.make_directory(at("d"), 0755).ok());
  ASSERT_TRUE(files_.link(at("a"), at("d/x")).ok());
  ASSERT_TRUE(files_.link(at("a"), at("d/y")).ok());
  backup();
  auto options = to_target();
  options.only = {"d"};
  restore_all(options);
  EXPECT_EQ(names(target_), (Lines{"d", "d/x", "d/y"}));
  EXPECT_EQ(read(back("d/y")), "content");
  EXPECT_EQ(info(back("d/x")).inode, info(back("d/y")).inode);
  EXPECT_EQ(info(back("d/x")).mode, 0604u);
}

TEST_F(FilesRestore, MergeLeavesEqualAndForeignFilesAndReplacesOthers) {
  write(at("same"), "same");
  write(at("changed"), "recorded");
  write(at("was-link"), "file");
  backup();
  restore_all(to_target());
  write(back("changed"), "edited");
  write(back("newer"), "keep me");
  ASSERT_TRUE(files_.remove(back("was-link")).ok());
  ASSERT_TRUE(files_.make_symlink(back("newer"), back("was-link")).ok());
  auto same = info(back("same"));
  files_.bytes_written = 0;
  restore_all(to_target());
  EXPECT_EQ(read(back("changed")), "recorded");
  EXPECT_EQ(read(back("was-link")), "file");
  EXPECT_EQ(read(back("newer")), "keep me");
  EXPECT_EQ(info(back("same")).inode, same.inode);
  EXPECT_EQ(files_.bytes_written, 12u) << "two files";
}

TEST_F(FilesRestore, Devices) {
  auto made = files_.make_special(at("null"), FileKind::character, 0620, 0x103);
  if (!made.ok()) GTEST_SKIP() << made.error().text();
  ASSERT_TRUE(files_.set_mode(at("null"), 0620).ok());
  backup();
  auto whole = restore_all(to_target());
  EXPECT_EQ(whole.warnings, Lines{});
  EXPECT_EQ(info(back("null")).kind, FileKind::character);
  EXPECT_EQ(info(back("null")).special, 0x103u);
  EXPECT_EQ(info(back("null")).mode, 0620u);
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "make_special") return Error(ErrorKind::denied, "not root");
    return {};
  };
  auto plain = to_target();
  plain.folder = folder_ / "plain";
  auto outcome = restore_all(plain);
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_NE(outcome.warnings[0].find("1 device files"), std::string::npos);
}

TEST_F(FilesRestore, NothingIsWrittenThroughAPlantedLink) {
  write(at("d/sub/file"), "restored");
  backup();
  ASSERT_TRUE(files_.make_directory(folder_ / "victim", 0755).ok());
  ASSERT_TRUE(files_.make_directory(target_, 0755).ok());
  ASSERT_TRUE(files_.make_symlink(folder_ / "victim", back("d")).ok());
  auto outcome = restore_all(to_target());
  EXPECT_EQ(names(folder_ / "victim"), Lines{});
  EXPECT_EQ(info(back("d")).kind, FileKind::directory);
  EXPECT_EQ(read(back("d/sub/file")), "restored");
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_NE(outcome.warnings[0].find("gave way"), std::string::npos);
}

TEST_F(FilesRestore, OwnersOfASandboxUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "changing owners needs root";
  write(at("setuid"), "x", 0755);
  ASSERT_TRUE(files_.set_owner(at("setuid"), 12, 34).ok());
  ASSERT_TRUE(files_.set_mode(at("setuid"), 06755).ok());
  ASSERT_TRUE(files_.make_symlink("setuid", at("link")).ok());
  backup();
  restore_all(to_target());
  EXPECT_EQ(info(back("setuid")).uid, 12u);
  EXPECT_EQ(info(back("setuid")).gid, 34u);
  EXPECT_EQ(info(back("setuid")).mode, 06755u);
  auto sandbox = to_target();
  sandbox.folder = folder_ / "sandbox";
  sandbox.owners = false;
  sandbox.owner_override = UserId{4321, 1234};
  restore_all(sandbox);
  for (const char* name : {"sandbox", "sandbox/setuid", "sandbox/link"}) {
    EXPECT_EQ(info(folder_ / name).uid, 4321u) << name;
    EXPECT_EQ(info(folder_ / name).gid, 1234u) << name;
  }
  EXPECT_EQ(info(folder_ / "sandbox/setuid").mode, 06755u);
}

TEST_F(FilesRestore, MissingPrivilegesAreToldOnceAndSetIdIsDropped) {
  for (int n = 0; n < 40; ++n) write(at(cat("f", n)), "x");
  write(at("root-tool"), "x");
  ASSERT_TRUE(files_.set_mode(at("root-tool"), 04755).ok());
  backup();
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "set_owner") return Error(ErrorKind::denied, "not root");
    return {};
  };
  auto outcome = restore_all(to_target());
  ASSERT_EQ(outcome.warnings.size(), 2u);
  EXPECT_NE(outcome.warnings[0].find("owners of 42 items"), std::string::npos)
      << outcome.warnings[0];
  EXPECT_EQ(info(back("root-tool")).mode, 0755u);
}

TEST_F(FilesRestore, FolderOfAnotherUserKeepsItsModeAndTheRestIsRestored) {
  write(at("d/f"), "x");
  backup();
  files_.hook = [&](const std::string& call, const std::string& path) -> Status {
    if (call == "set_mode" && path == back(".")) return Error(ErrorKind::denied, "not yours");
    return {};
  };
  auto outcome = restore_all(to_target());
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_NE(outcome.warnings[0].find("1 modes or times"), std::string::npos);
  EXPECT_EQ(read(back("d/f")), "x");
}

TEST_F(FilesRestore, FullDiskIsACleanErrorAndTheNextRunCompletes) {
  for (int n = 0; n < 30; ++n) write(at(cat("d/f", n)), std::string(200'000, 'a'));
  backup();
  std::atomic<int> writes_left = 15;
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "write_at" && writes_left-- <= 0) return Error(ErrorKind::exhausted, "disk full");
    return {};
  };
  auto full = restore(world_, *parent_, to_target(), {}, {});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind(), ErrorKind::exhausted);
  EXPECT_EQ(full.error().exit_code(), ExitCode::no_space);
  EXPECT_NE(full.error().left().find("items are in place"), std::string::npos);
  for (const auto& name : names(back("d"))) {
    EXPECT_EQ(name.find(".lifeboat"), std::string::npos) << "a temporary file stayed";
  }
  files_.hook = nullptr;
  restore_all(to_target());
  EXPECT_EQ(names(back("d")).size(), 30u);
  EXPECT_EQ(names(target_).size(), 31u) << "the mark is gone";
}

// Every call fails once, as if the program had been killed there: nothing half-written ever bears a
// final name, and the next restore ends with the whole tree and nothing else.
TEST_F(FilesRestore, SurvivesTheFailureOfEveryCall) {
  write(at("d/f"), std::string(120'000, 'q'));
  write(at("e"), "");
  ASSERT_TRUE(files_.link(at("d/f"), at("l")).ok());
  ASSERT_TRUE(files_.make_symlink("e", at("s")).ok());
  backup();
  for (int nth = 0;; ++nth) {
    SCOPED_TRACE(nth);
    ASSERT_LT(nth, 500);
    auto options = to_target();
    options.folder = folder_ / cat("target", nth);
    std::atomic<int> calls = 0;
    std::atomic<bool> dead = false;
    files_.hook = [&](const std::string&, const std::string&) -> Status {
      if (calls++ == nth) dead = true;  // and all after it
      if (dead) return Error(ErrorKind::unavailable, "killed");
      return {};
    };
    auto outcome = restore(world_, *parent_, options, {}, {});
    bool fired = dead;
    files_.hook = nullptr;
    EXPECT_EQ(outcome.ok(), !fired);
    auto done = path_join(options.folder, "d/f");
    if (fired && exists(done)) {
      EXPECT_EQ(read(done).size(), 120'000u);
    }
    if (fired) restore_all(options);
    EXPECT_EQ(names(options.folder), (Lines{"d", "d/f", "e", "l", "s"}));
    EXPECT_EQ(read(path_join(options.folder, "l")), std::string(120'000, 'q'));
    if (!fired) break;
  }
}

// A power cut may leave a file with its size and time, but without its content.
TEST_F(FilesRestore, FilesOfARestoreCutOffAreNotTrusted) {
  for (const char* name : {"a/x", "b/x", "c/x"}) write(at(name), "good");
  backup();
  restore_all(to_target());
  for (const char* name : {"a/x", "b/x", "c/x"}) {
    ASSERT_TRUE(files_.open_write(back(name)).take()->write_at(view_of("evil"), 0).ok());
    ASSERT_TRUE(files_.set_mtime(back(name), info(at(name)).mtime_ns).ok());
  }
  auto none = to_target();
  none.only = {"a", "b"};
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "sync_filesystem") return Error(ErrorKind::unavailable, "power cut");
    return {};
  };
  EXPECT_FALSE(restore(world_, *parent_, none, {}, {}).ok());
  files_.hook = nullptr;
  auto only_a = to_target();
  only_a.only = {"a"};
  restore_all(only_a);
  EXPECT_EQ(read(back("a/x")), "good");
  EXPECT_TRUE(exists(back(".lifeboat-restore"))) << "b is still in doubt";
  restore_all(to_target());
  EXPECT_EQ(read(back("b/x")), "good");
  EXPECT_NE(read(back("c/x")), "good") << "no restore was cut off here: size and time are trusted";
  EXPECT_FALSE(exists(back(".lifeboat-restore")));
}

TEST_F(FilesRestore, FailedFetchIsReportedAndLeavesNoTemporary) {
  for (int n = 0; n < 20; ++n) write(at(cat("f", n)), text_of(random_->bytes(1'000'000)));
  backup();
  auto& damaged = repository_.failing({.nth = 2,
                                       .fault = BlobFault::flip,
                                       .lasting = true,
                                       .only = BlobCall::get_range,
                                       .prefix = "p/"});
  auto snapshot = damaged.snapshot(parent_->info().id).take();
  auto failed = restore(world_, *snapshot, to_target(), {}, {});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind(), ErrorKind::corrupt) << failed.error().text();
  for (const auto& name : names(target_)) {
    EXPECT_FALSE(name.starts_with(".lifeboat-restore-")) << name;
  }
}

TEST_F(FilesRestore, StopEndsIt) {
  for (int n = 0; n < 50; ++n) write(at(cat("f", n)), "x");
  backup();
  std::stop_source stop;
  files_.hook = [&](const std::string& call, const std::string&) -> Status {
    if (call == "rename") stop.request_stop();
    return {};
  };
  auto stopped = restore(world_, *parent_, to_target(), {}, stop.get_token());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
}

TEST_F(FilesRestore, InheritedAclsDoNotStayOnWhatHadNone) {
  // user::rwx, user:1000:rwx, group::r-x, mask::rwx, other::r-x
  const Buffer acl = {2, 0,    0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,  7,
                      0, 0xe8, 3,   0,   0,   4,   0,  5, 0,   255, 255, 255, 255, 16, 0,
                      7, 0,    255, 255, 255, 255, 32, 0, 5,   0,   255, 255, 255, 255};
  write(at("d/f"), "x", 0644);
  write(at("with"), "x", 0644);
  auto supported = files_.set_xattr(at("with"), "system.posix_acl_access", acl);
  if (!supported.ok()) GTEST_SKIP() << supported.error().text();
  backup();
  ASSERT_TRUE(files_.make_directory(target_, 0755).ok());
  ASSERT_TRUE(files_.set_xattr(target_, "system.posix_acl_default", acl).ok());
  restore_all(to_target());
  EXPECT_EQ(files_.list_xattrs(back("d")).take(), Lines{});
  EXPECT_EQ(files_.list_xattrs(back("d/f")).take(), Lines{});
  EXPECT_EQ(files_.list_xattrs(target_).take(), Lines{});
  EXPECT_EQ(files_.get_xattr(back("with"), "system.posix_acl_access").take(), acl);
  EXPECT_EQ(info(back("d/f")).mode, 0644u);
}

// A snapshot from a hostile host.
TEST_F(FilesRestore, KeysThatLeadOutOfTheTargetAreRefused) {
  Attributes folder, file, link;
  folder.kind = FileKind::directory;
  folder.mode = 0755;
  file.mode = 0644;
  link.hard_link_to = "../victim";
  const std::pair<std::string, Attributes> rows[] = {{std::string("..\0x", 4), file},
                                                     {"..", file},
                                                     {"a/b", file},
                                                     {std::string("\0x", 2), file},
                                                     {std::string("a\0", 2), file},
                                                     {"l", link},
                                                     {std::string("no\0x", 4), file}};
  write(folder_ / "victim", "untouched");
  for (const auto& [key, attributes] : rows) {
    auto writer = repository_->begin("media", nullptr, {}).take();
    ASSERT_TRUE(writer->add("", encode(folder)).ok());
    ASSERT_TRUE(writer->add(key, encode(attributes)).ok());
    auto snapshot = writer->commit({}).take();
    auto reader = repository_->snapshot(snapshot.id).take();
    auto outcome = restore(world_, *reader, to_target(), {}, {});
    ASSERT_FALSE(outcome.ok()) << printable(key);
    EXPECT_EQ(outcome.error().kind(), ErrorKind::corrupt) << printable(key);
    EXPECT_EQ(names(target_), Lines{".lifeboat-restore"}) << "the mark of a restore cut off";
  }
  EXPECT_EQ(read(folder_ / "victim"), "untouched");
}

TEST_F(FilesRestore, SpaceNeededCoversWhatIsWritten) {
  for (int n = 0; n < 100; ++n) write(at(cat("d", n, "/f")), std::string(5000, 'x'));
  backup();
  auto need = space_needed(*parent_).take();
  restore_all(to_target());
  std::uint64_t used = info(target_).allocated;
  for (const auto& name : names(target_)) used += info(back(name)).allocated;
  EXPECT_GE(need.bytes, used);
  EXPECT_LE(need.bytes, 2 * used);
  EXPECT_EQ(need.files, 201u);
}

}  // namespace
}  // namespace lb::files
