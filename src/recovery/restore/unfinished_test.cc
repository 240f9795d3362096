#include "recovery/restore/unfinished.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
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
  ASSERT_TRUE(remove_mark(*files, folder).ok());
  EXPECT_EQ(look(), TargetState::occupied);
  EXPECT_EQ(test::files_below(folder).size(), 1u);
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

// A lock and a mark on its way are nobody's data.
TEST_F(Unfinished, WhatAKilledOneLeftBesideTheMarkCountsForNothing) {
  test::write_text(mark() + ".new-1-1-boot-pid", "lifeboat unfin");
  test::write_text(mark() + ".lock", "");
  EXPECT_EQ(look(), TargetState::free);
  ASSERT_TRUE(mark_unfinished(*files, folder, "db latest").ok());
  EXPECT_EQ(test::files_below(folder).size(), 1u);
  test::write_text(mark(), "lifeboat unfin");
  test::write_text(mark() + ".new-1-1-boot-pid", "lifeboat unfin");
  ASSERT_EQ(look(), TargetState::unfinished);
  ASSERT_TRUE(take_over_unfinished(*files, folder, "db latest").ok());
  ASSERT_TRUE(remove_mark(*files, folder).ok());
  EXPECT_EQ(test::files_below(folder).size(), 0u);
}

TEST_F(Unfinished, ATornMarkProvesNothingAboutItsNeighbours) {
  test::write_text(mark(), "lifeboat unfin");
  EXPECT_EQ(look(), TargetState::unfinished) << "alone it is what a killed restore began to write";
  test::write_text(place / "data", "mine");
  EXPECT_EQ(look(), TargetState::occupied);
}

// What each of so many processes that begin at once got: 'h' has the folder, 'r' is refused. None
// ends before all have said so.
std::string at_once(int many, const std::function<Status()>& act) {
  int start[2], told[2];
  EXPECT_TRUE(::pipe(start) == 0 && ::pipe(told) == 0);
  std::vector<pid_t> children;
  for (int n = 0; n < many; ++n) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte = 0;
    ::close(start[1]);
    (void)!::read(start[0], &byte, 1);
    auto outcome = act();
    byte = outcome.ok() ? 'h' : outcome.error().exit_code() == ExitCode::refused ? 'r' : '?';
    (void)!::write(told[1], &byte, 1);
    for (;;) ::pause();
  }
  ::close(start[0]);
  ::close(start[1]);
  std::string out(static_cast<std::size_t>(many), ' ');
  for (char& byte : out) EXPECT_EQ(::read(told[0], &byte, 1), 1);
  for (const auto child : children) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ::close(told[0]);
  ::close(told[1]);
  std::sort(out.begin(), out.end());
  return out;
}

// In a folder that is free, and in one that an ended restore left.
TEST_F(Unfinished, OfManyAtOnceOneHasIt) {
  for (int round = 0; round < 30; ++round) {
    folder = place / cat("target", round);
    ASSERT_TRUE(files->make_directory(folder, 0700).ok());
    const bool left = round % 2 == 1;
    if (left) test::write_text(mark(), ended);
    EXPECT_EQ(at_once(4,
                      [&] {
                        return left ? take_over_unfinished(*files, folder, "db latest")
                                    : mark_unfinished(*files, folder, "db latest");
                      }),
              "hrrr");
    EXPECT_EQ(look(), TargetState::unfinished) << "whoever had it was killed";
    ASSERT_TRUE(take_over_unfinished(*files, folder, "db latest").ok());
    ASSERT_TRUE(remove_mark(*files, folder).ok());
    EXPECT_EQ(look(), TargetState::free) << "nothing of them stays";
    if (HasFailure()) break;
  }
}

// A disk on which this process is known, and after a reboot is another one.
class UnfinishedOnADisk : public testing::Test {
 protected:
  UnfinishedOnADisk() {
    auto process = cat("/proc/", ::getpid());
    for (const auto& path :
         {process, std::string("/proc/sys/kernel/random"), std::string("/proc/self/ns"), folder})
      make_directories(disk, path, 0700).take();
    put(cat(process, "/stat"), "1 (lifeboat) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7 1\n");
    disk.make_symlink("pid:[1]", "/proc/self/ns/pid").take();
    reboot();
  }
  void put(const std::string& path, const std::string& text) {
    write_durably(disk, path, view_of(text)).take();
  }
  void reboot() {
    put("/proc/sys/kernel/random/boot_id", cat("boot-", ++boots, "\n"));
    disk.sync_filesystem("/").take();
  }
  TargetState look() {
    auto state = look_at_target(disk, folder);
    EXPECT_TRUE(state.ok()) << state.error().text();
    return state.ok() ? *state : TargetState::occupied;
  }
  // Stops `act` at each of its calls: by a kill alone, by a power cut, by one before which the disk
  // took some of what was on its way. `after` looks at what is left after the reboot.
  void cut_everywhere(const std::function<void()>& before, const std::function<Status()>& act,
                      const std::function<void()>& after);

  const std::string folder = "/target";
  SimFiles disk;
  int boots = 0;
};

void UnfinishedOnADisk::cut_everywhere(const std::function<void()>& before,
                                       const std::function<Status()>& act,
                                       const std::function<void()>& after) {
  for (std::uint64_t way = 0; way < 12; ++way) {
    for (std::uint64_t nth = 0;; ++nth) {
      SCOPED_TRACE(cat("way ", way, ", call ", nth));
      remove_tree(disk, folder).take();
      make_directories(disk, folder, 0700).take();
      before();
      disk.sync_filesystem("/").take();
      disk.fail_from(nth);
      auto done = act();
      bool fired = disk.fault_fired();
      EXPECT_EQ(done.ok(), !fired);
      disk.fail_call(~std::uint64_t{0});
      auto chance = seeded_random(100 * nth + way);
      if (way > 0) disk.crash(way > 1 ? chance.get() : nullptr);
      reboot();
      after();
      if (HasFailure()) return;
      if (!fired) break;
    }
  }
}

TEST_F(UnfinishedOnADisk, AMarkIsWholeOrNotThereWhereverItIsCut) {
  cut_everywhere([] {}, [&] { return mark_unfinished(disk, folder, "db latest"); },
                 [&] {
                   const auto state = look();
                   ASSERT_NE(state, TargetState::occupied);
                   const bool marked = state == TargetState::unfinished;
                   EXPECT_EQ(*unfinished_wish(disk, folder), marked ? "db latest" : "");
                   auto again = state == TargetState::free
                                    ? mark_unfinished(disk, folder, "db latest")
                                    : take_over_unfinished(disk, folder, "db latest");
                   ASSERT_TRUE(again.ok()) << again.error().text();
                   ASSERT_TRUE(remove_mark(disk, folder).ok());
                   EXPECT_TRUE(disk.list(folder)->empty()) << "nothing of the one before";
                 });
}

// What the ended restore wrote lies beside the mark: it must stay known for what it is.
TEST_F(UnfinishedOnADisk, ATakeOverCutAnywhereCanBeTakenOver) {
  const auto before = [&] {
    mark_unfinished(disk, folder, "db latest").take();
    put(path_join(folder, "PG_VERSION"), "15");
    reboot();
  };
  cut_everywhere(
      before, [&] { return take_over_unfinished(disk, folder, "db --at noon"); },
      [&] {
        ASSERT_EQ(look(), TargetState::unfinished);
        const auto wish = *unfinished_wish(disk, folder);
        EXPECT_TRUE(wish == "db latest" || wish == "db --at noon") << wish;
        auto again = take_over_unfinished(disk, folder, "db --at one");
        ASSERT_TRUE(again.ok()) << again.error().text();
        EXPECT_EQ(*unfinished_wish(disk, folder), "db --at one");
        ASSERT_TRUE(remove_mark(disk, folder).ok());
        EXPECT_EQ(look(), TargetState::occupied);
        EXPECT_EQ(disk.list(folder)->size(), 1u);
      });
}

}  // namespace
}  // namespace lb::restore
