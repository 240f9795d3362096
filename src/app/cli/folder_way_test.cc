#include "app/cli/folder_way.h"

#include <gtest/gtest.h>

#include "tests/harness/temp_dir.h"

namespace lb::cli {
namespace {

class FolderWays : public testing::Test {
 protected:
  FolderWays() {
    for (const char* path : {"a/b", "ab"})
      EXPECT_TRUE(make_directories(*files_, temporary_ / path, 0700).ok());
    EXPECT_TRUE(files_->make_symlink(temporary_ / "a", temporary_ / "link").ok());
  }
  bool contains(const std::string& outer, const std::string& inner) {
    auto one = FolderWay::of(*files_, temporary_ / outer).take();
    return one.contains(FolderWay::of(*files_, temporary_ / inner).take());
  }
  std::unique_ptr<Files> files_ = real_files();
  test::TempDir temporary_;
};

TEST_F(FolderWays, AFolderContainsItselfAndWhatLiesInIt) {
  EXPECT_TRUE(contains("a", "a"));
  EXPECT_TRUE(contains("a", "a/"));
  EXPECT_TRUE(contains("a", "a/b"));
  EXPECT_TRUE(contains("a", "a/b/not/yet"));
  EXPECT_FALSE(contains("a/b", "a"));
  EXPECT_FALSE(contains("a", "ab")) << "a name that begins alike";
}

TEST_F(FolderWays, LinksAndDotsHideNothing) {
  EXPECT_TRUE(contains("a", "link"));
  EXPECT_TRUE(contains("link", "a/b"));
  EXPECT_TRUE(contains("a", "link/b/not/yet"));
  EXPECT_TRUE(contains("a", "ab/../a/b"));
  EXPECT_FALSE(contains("ab", "link"));
  EXPECT_TRUE(files_->make_symlink(temporary_ / "a/b", temporary_ / "deep").ok());
  EXPECT_TRUE(contains("a", "deep")) << "what it leads to lies in a";
  EXPECT_TRUE(contains("a", "deep/not/yet"));
}

TEST_F(FolderWays, WhatDoesNotExistIsKnownByItsPath) {
  EXPECT_TRUE(contains("new", "new"));
  EXPECT_TRUE(contains("new", "new/er"));
  EXPECT_FALSE(contains("new", "newer"));
  EXPECT_FALSE(contains("new", "a"));
}

}  // namespace
}  // namespace lb::cli
