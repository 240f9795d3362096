#include "recovery/restore/unfinished.h"

#include <gtest/gtest.h>

#include "stores/postgres/restore.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/temp_dir.h"

namespace lb::restore {
namespace {

class Unfinished : public testing::Test {
 protected:
  std::string mark() const { return path_join(folder, pg::unfinished_mark); }
  TargetState look() {
    auto state = look_at_target(*files, folder);
    EXPECT_TRUE(state.ok()) << state.error().text();
    return state.ok() ? *state : TargetState::occupied;
  }

  test::TempDir place;
  std::string folder = place.path();
  std::unique_ptr<Files> files = real_files();
};

TEST_F(Unfinished, MissingAndEmptyFoldersAreFree) {
  EXPECT_EQ(look(), TargetState::free);
  folder = place / "missing";
  EXPECT_EQ(look(), TargetState::free);
}

TEST_F(Unfinished, AFolderWithoutTheMarkIsSomebodys) {
  test::write_text(place / "data", "mine");
  EXPECT_EQ(look(), TargetState::occupied);
}

TEST_F(Unfinished, TheMarkOfARunningRestoreRefuses) {
  ASSERT_TRUE(mark_unfinished(*files, folder, "db latest").ok());
  auto state = look_at_target(*files, folder);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().exit_code(), ExitCode::refused);
  auto second = mark_unfinished(*files, folder, "db latest");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
}

constexpr const char* ended =
    "lifeboat unfinished restore 1\n1\n1\nanother-boot\npid:[1]\ndb latest\n";

TEST_F(Unfinished, WhatAnEndedRestoreLeftIsTakenOver) {
  test::write_text(mark(), ended);
  test::write_text(place / "PG_VERSION", "15");
  ASSERT_EQ(look(), TargetState::unfinished);
  EXPECT_EQ(*unfinished_wish(*files, folder), "db latest");
  ASSERT_TRUE(take_over_unfinished(*files, folder, "db --at yesterday").ok());
  EXPECT_EQ(*unfinished_wish(*files, folder), "db --at yesterday");
  EXPECT_EQ(look_at_target(*files, folder).error().exit_code(), ExitCode::refused) << "it is ours";
  EXPECT_EQ(test::files_below(folder).size(), 2u);
  ASSERT_TRUE(remove_mark(*files, folder).ok());
  EXPECT_EQ(look(), TargetState::occupied);
}

TEST_F(Unfinished, OfTwoThatGoOnOneIsRefused) {
  test::write_text(mark(), ended);
  ASSERT_TRUE(take_over_unfinished(*files, folder, "db latest").ok());
  auto second = take_over_unfinished(*files, folder, "db latest");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().exit_code(), ExitCode::refused);
  EXPECT_EQ(look_at_target(*files, folder).error().exit_code(), ExitCode::refused)
      << "the mark of the first is still there";
}

TEST_F(Unfinished, ATakeOverKilledInTheMiddleCanBeTakenOver) {
  test::write_text(mark() + ".old", ended);
  test::write_text(place / "PG_VERSION", "15");
  ASSERT_EQ(look(), TargetState::unfinished);
  EXPECT_EQ(*unfinished_wish(*files, folder), "db latest");
  ASSERT_TRUE(take_over_unfinished(*files, folder, "db latest").ok());
  // Also when the fresh mark was there already.
  test::write_text(mark(), ended);
  test::write_text(mark() + ".old", ended);
  ASSERT_TRUE(take_over_unfinished(*files, folder, "db latest").ok());
  EXPECT_EQ(test::files_below(folder).size(), 2u);
}

TEST_F(Unfinished, ATornMarkProvesNothingAboutItsNeighbours) {
  test::write_text(mark(), "lifeboat unfin");
  EXPECT_EQ(look(), TargetState::unfinished) << "alone it is what a killed restore began to write";
  test::write_text(place / "data", "mine");
  EXPECT_EQ(look(), TargetState::occupied);
}

}  // namespace
}  // namespace lb::restore
