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
  ASSERT_TRUE(mark_unfinished(*files, folder).ok());
  auto state = look_at_target(*files, folder);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().exit_code(), ExitCode::refused);
  auto second = mark_unfinished(*files, folder);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
}

TEST_F(Unfinished, WhatAnEndedRestoreLeftIsClearedMarkLast) {
  test::write_text(mark(), "lifeboat unfinished restore 1\n1\n1\nanother-boot\npid:[1]\n");
  test::write_text(place / "PG_VERSION", "15");
  ASSERT_EQ(look(), TargetState::unfinished);
  ASSERT_TRUE(clear_unfinished(*files, folder).ok());
  EXPECT_EQ(look(), TargetState::free);
}

TEST_F(Unfinished, ATornMarkProvesNothingAboutItsNeighbours) {
  test::write_text(mark(), "lifeboat unfin");
  EXPECT_EQ(look(), TargetState::unfinished) << "alone it is what a killed restore began to write";
  test::write_text(place / "data", "mine");
  EXPECT_EQ(look(), TargetState::occupied);
}

}  // namespace
}  // namespace lb::restore
