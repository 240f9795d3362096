#include "stores/files/walker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/test_folder.h"
#include "stores/files/store.h"

namespace lb::files {
namespace {

class TreeWalkerTest : public testing::Test {
 protected:
  void folder(const std::string& name) {
    ASSERT_TRUE(make_directories(*files_, folder_ / name, 0755).ok());
  }
  void file(const std::string& name) { ASSERT_TRUE(files_->create(folder_ / name, 0644).ok()); }
  std::vector<std::string> walk(WalkOptions options) {
    TreeWalker walker(*files_, folder_.path(), std::move(options));
    std::vector<std::string> out;
    for (;;) {
      auto visit = walker.next();
      EXPECT_TRUE(visit.ok());
      if (!visit.ok() || !*visit) break;
      out.push_back((*visit)->path);
    }
    skipped_ = walker.skipped();
    return out;
  }

  TestFolder folder_;
  std::unique_ptr<Files> files_ = real_files();
  std::vector<std::string> skipped_;
};

using Paths = std::vector<std::string>;

TEST_F(TreeWalkerTest, GivesKeysInOrder) {
  folder("a/b");
  folder("a-b");
  for (const char* name : {"a/b/z", "a/b.txt", "a-b/q", "a.txt", "Z", "\xff", "new\nline"})
    file(name);
  auto paths = walk({});
  EXPECT_EQ(paths, (Paths{"", "Z", "a", "a/b", "a/b/z", "a/b.txt", "a-b", "a-b/q", "a.txt",
                          "new\nline", "\xff"}));
  std::vector<std::string> keys;
  for (const auto& path : paths) keys.push_back(key_of(path));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

// Deeper than folders are held open.
TEST_F(TreeWalkerTest, GivesWhatLiesDeep) {
  std::string path;
  Paths expected{""};
  for (int depth = 0; depth < 200; ++depth) {
    path += path.empty() ? "d" : "/d";
    expected.push_back(path);
  }
  folder(path);
  file(path + "/x");
  file("d/z");
  expected.push_back(path + "/x");
  expected.push_back("d/z");
  EXPECT_EQ(walk({}), expected);
}

// What was looked at is what was opened, even when its place is taken by another meanwhile.
TEST_F(TreeWalkerTest, AFolderWhosePlaceIsTakenIsNotMixedWithTheOther) {
  folder("a");
  file("a/1");
  file("a/2");
  folder("other");
  file("other/2");
  TreeWalker walker(*files_, folder_.path(), {});
  Paths seen;
  for (;;) {
    auto visit = walker.next().take();
    if (!visit) break;
    seen.push_back(visit->path);
    if (visit->path == "a/1") {
      ASSERT_TRUE(files_->rename(folder_ / "a", folder_ / "gone").ok());
      ASSERT_TRUE(files_->make_symlink("other", folder_ / "a").ok());
      ASSERT_TRUE(files_->remove(folder_ / "gone/2").ok());
    }
    bool unread = visit->unread.has_value();
    EXPECT_EQ(unread, visit->path == "a/2") << "there is none in what was opened";
  }
  EXPECT_EQ(seen, (Paths{"", "a", "a/1", "a/2", "other", "other/2"}));
}

TEST_F(TreeWalkerTest, GivesFoldersOnTheWayOnlyWhenSomethingIsTaken) {
  folder("a/b/c");
  folder("empty/deep");
  file("a/b/c/x.pdf");
  file("a/b/y.txt");
  file("top.pdf");
  auto selection = Selection::make({"*.pdf"}, {}).take();
  EXPECT_EQ(walk({&selection, nullptr, {}, true}),
            (Paths{"", "a", "a/b", "a/b/c", "a/b/c/x.pdf", "top.pdf"}));
}

TEST_F(TreeWalkerTest, LeavesOutExcludedSkippedAndItsOwnFiles) {
  folder("keep");
  folder("cache/deep");
  folder("repository/p");
  file("keep/x");
  file("keep/.lifeboat-restore-12-3");
  file(".lifeboat-restore");
  auto selection = Selection::make({}, {"cache/"}).take();
  auto repository = files_->info(folder_ / "repository").value();
  EXPECT_EQ(walk({&selection, nullptr, {{repository.device, repository.inode}}, true}),
            (Paths{"", "keep", "keep/x"}));
  EXPECT_EQ(skipped_, Paths{"repository"});
}

TEST_F(TreeWalkerTest, SkipFolderLeavesOutWhatIsBelow) {
  folder("a/b");
  file("a/b/x");
  file("c");
  TreeWalker walker(*files_, folder_.path(), {});
  Paths out;
  for (;;) {
    auto visit = walker.next().take();
    if (!visit) break;
    out.push_back(visit->path);
    if (visit->path == "a") walker.skip_folder();
  }
  EXPECT_EQ(out, (Paths{"", "a", "c"}));
}

TEST_F(TreeWalkerTest, DoesNotFollowLinksBelowTheRootButFollowsTheRoot) {
  folder("real/sub");
  file("real/x");
  ASSERT_TRUE(files_->make_symlink(folder_ / "real", folder_ / "link").ok());
  EXPECT_EQ(walk({}), (Paths{"", "link", "real", "real/sub", "real/x"}));
  TreeWalker through(*files_, folder_ / "link", {});
  ASSERT_TRUE(through.next().ok());
  EXPECT_EQ(through.next().take()->path, "sub");
  EXPECT_EQ(through.next().take()->path, "x");
}

TEST_F(TreeWalkerTest, OtherFileSystemsAreShownButNotEntered) {
  auto devices = files_->info("/dev"), memory = files_->info("/dev/shm");
  if (!devices.ok() || !memory.ok() || devices->device == memory->device) {
    GTEST_SKIP() << "/dev/shm is no file system of its own here";
  }
  auto inner = cat("/dev/shm/lifeboat-walker-test-", path_name(folder_.path()));
  ASSERT_TRUE(files_->create(inner, 0600).ok());
  auto seen = [&](bool one_filesystem) {
    WalkOptions options;
    options.one_filesystem = one_filesystem;
    TreeWalker walker(*files_, "/dev", options);
    int found = 0;
    for (auto visit = walker.next().take(); visit; visit = walker.next().take()) {
      if (visit->path == "shm") found += visit->other_filesystem ? 10 : 100;
      if (visit->full == inner) ++found;
    }
    return found;
  };
  EXPECT_EQ(seen(true), 10);
  EXPECT_EQ(seen(false), 101);
  ASSERT_TRUE(files_->remove(inner).ok());
}

TEST_F(TreeWalkerTest, RootThatIsNoFolderIsAnError) {
  file("x");
  EXPECT_EQ(TreeWalker(*files_, folder_ / "none", {}).next().error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(TreeWalker(*files_, folder_ / "x", {}).next().ok());
}

}  // namespace
}  // namespace lb::files
