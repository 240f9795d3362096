#include "recovery/swap/folder_swap.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"

namespace lb::swap {
namespace {

const Timestamp noon = parse_time("2026-01-13T12:00:00Z").take();

// A folder with one file that says which it is, and something that uses what has the live name.
class FolderSwapTest : public testing::Test {
 protected:
  void SetUp() override { make_disk(); }
  void make_disk() {
    files_ = std::make_unique<SimFiles>();
    using_ = "old";
    ASSERT_TRUE(make_directories(*files_, "/srv/main", 0700).ok());
    ASSERT_TRUE(write_durably(*files_, "/srv/main/word", view_of("old")).ok());
    ASSERT_TRUE(files_->sync_filesystem("/srv").ok());
  }
  FolderSwap swap() {
    return {*files_, clock_, {"/srv/main", "06FQ0KZ4", std::chrono::hours(24), point_}};
  }
  std::string word(const std::string& folder) {
    auto bytes = read_file(*files_, folder + "/word", 100);
    return bytes.ok() ? std::string(text_of(*bytes)) : "none";
  }
  FolderActs acts() {
    FolderActs out;
    out.fill = [this](const std::string& folder) -> Status {
      EXPECT_TRUE(using_.empty() || using_ == "old");
      return write_durably(*files_, folder + "/word", view_of("new"));
    };
    out.verify = [this](const std::string& folder) -> Status {
      if (word(folder) == "new") return {};
      return Error(ErrorKind::invalid, "not whole");
    };
    out.stop = [this]() -> Status {
      using_.clear();
      return {};
    };
    out.prepare = [this](const std::string& folder, const std::string& old) -> Status {
      EXPECT_EQ(using_, "");
      auto words = word(folder) + " " + word(old);
      EXPECT_TRUE(words == "new old" || files_->fault_fired()) << words;
      return write_durably(*files_, folder + "/ready", view_of("yes"));
    };
    out.start = [this]() -> Status {
      using_ = word("/srv/main");
      return {};
    };
    out.prove = [this]() -> Status {
      if (using_ == word("/srv/main") && using_ != "none") return {};
      return Error(ErrorKind::unavailable, "it does not answer");
    };
    return out;
  }
  Status finish() {
    for (;;) {
      auto state = advance_folder_swap(swap(), acts());
      if (!state.ok()) return state.status();
      if (state->stage == FolderStage::swapped) return {};
    }
  }
  FolderStage stage() { return look_at_folder_swap(swap()).take().stage; }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    auto entries = files_->list("/srv").take();
    for (const auto& entry : entries) {
      if (!entry.name.starts_with(".")) out.push_back(entry.name);
    }
    return out;
  }
  // One whole folder under the name, or, without the help of the file system, both beside it.
  void expect_whole(bool exchanges) {
    auto live = word("/srv/main");
    bool between = live == "none" && word("/srv/main.old-06FQ0KZ4") == "old" &&
                   word("/srv/main.lifeboat-06FQ0KZ4") == "new";
    EXPECT_TRUE(live == "old" || live == "new" || (between && !exchanges)) << live;
  }

  std::unique_ptr<SimFiles> files_;
  SimClock clock_{noon};
  std::string point_ = "06FQ0AAA";
  std::string using_ = "old";
};

using Names = std::vector<std::string>;

TEST_F(FolderSwapTest, GoesStepByStepAndIsUndone) {
  EXPECT_EQ(advance_folder_swap(swap(), acts()).take().stage, FolderStage::filled);
  point_ = "06FQ0BBB";  // who goes on may wish for another one: it is filled already
  EXPECT_EQ(advance_folder_swap(swap(), acts()).take().stage, FolderStage::verified);
  EXPECT_EQ(using_, "old");
  EXPECT_EQ(advance_folder_swap(swap(), acts()).take().stage, FolderStage::exchanged);
  EXPECT_EQ(using_, "");
  auto state = advance_folder_swap(swap(), acts()).take();
  EXPECT_EQ(state.stage, FolderStage::swapped);
  EXPECT_EQ(state.until, noon + std::chrono::hours(24));
  EXPECT_EQ(state.point, "06FQ0AAA");
  EXPECT_EQ(using_, "new");
  EXPECT_EQ(word("/srv/main.old-06FQ0KZ4"), "old");
  EXPECT_EQ(names(), (Names{"main", "main.old-06FQ0KZ4", "main.swap-06FQ0KZ4"}));
  EXPECT_EQ(advance_folder_swap(swap(), acts()).take().stage, FolderStage::swapped);
  clock_.advance(std::chrono::hours(1));
  state = undo_folder_swap(swap(), acts()).take();
  EXPECT_EQ(state.stage, FolderStage::undone);
  EXPECT_EQ(state.until, noon + std::chrono::hours(25));
  EXPECT_EQ(using_, "old");
  EXPECT_EQ(word("/srv/main.lifeboat-06FQ0KZ4"), "new");
  EXPECT_EQ(undo_folder_swap(swap(), acts()).take().stage, FolderStage::undone);
  EXPECT_EQ(advance_folder_swap(swap(), acts()).error().exit_code(), ExitCode::refused);
}

TEST_F(FolderSwapTest, UndoBeforeTheExchangeRemovesWhatWasMade) {
  for (int steps = 0; steps < 3; ++steps) {
    for (int i = 0; i < steps; ++i) ASSERT_TRUE(advance_folder_swap(swap(), acts()).ok());
    EXPECT_EQ(undo_folder_swap(swap(), acts()).take().stage, FolderStage::none);
    EXPECT_EQ(names(), Names{"main"});
    EXPECT_EQ(using_, "old");
  }
}

// Stopped for an exchange that does not come: undone, it serves again; until then it is told.
TEST_F(FolderSwapTest, WhatWasStoppedInVainServesAgain) {
  auto broken = acts();
  broken.prepare = [](const std::string&, const std::string&) {
    return Error(ErrorKind::exhausted, "no space");
  };
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(advance_folder_swap(swap(), broken).ok());
  EXPECT_FALSE(look_at_folder_swap(swap()).take().stopped);
  ASSERT_FALSE(advance_folder_swap(swap(), broken).ok());
  EXPECT_EQ(using_, "");
  auto state = look_at_folder_swap(swap()).take();
  EXPECT_EQ(state.stage, FolderStage::verified);
  EXPECT_TRUE(state.stopped);
  EXPECT_TRUE(kept_folders(*files_, clock_, "/srv/main").take().at(0).stopped);
  broken.start = [] { return Error(ErrorKind::unavailable, "it does not start"); };
  EXPECT_FALSE(undo_folder_swap(swap(), broken).ok());
  EXPECT_EQ(word("/srv/main.lifeboat-06FQ0KZ4"), "new") << "the swap can still go on";
  EXPECT_EQ(undo_folder_swap(swap(), acts()).take().stage, FolderStage::none);
  EXPECT_EQ(using_, "old");
  EXPECT_EQ(names(), Names{"main"});
}

TEST_F(FolderSwapTest, WhatDoesNotStartIsPutBack) {
  auto broken = acts();
  broken.prove = [] { return Error(ErrorKind::unavailable, "it does not answer"); };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(advance_folder_swap(swap(), broken).ok());
  auto done = advance_folder_swap(swap(), broken);
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().hint().find("undo"), std::string::npos);
  EXPECT_EQ(stage(), FolderStage::exchanged);
  EXPECT_EQ(undo_folder_swap(swap(), acts()).take().stage, FolderStage::undone);
  EXPECT_EQ(using_, "old");
}

// On disks of all kinds: a fault at each call, then on or, each second time, back.
TEST_F(FolderSwapTest, PowerCutsAndFaultsAtEveryCallAreOvercome) {
  for (int kind = 0; kind < 8; ++kind) {
    bool exchanges = kind % 2 == 0, undo = kind / 2 % 2 == 1, power_cut = kind / 4 == 0;
    for (std::uint64_t nth = 0;; ++nth) {
      SCOPED_TRACE(cat("kind ", kind, " call ", nth));
      make_disk();
      files_->set_exchange(exchanges);
      if (undo) {
        ASSERT_TRUE(finish().ok());
      }
      files_->fail_call(nth);
      auto done = undo ? undo_folder_swap(swap(), acts()).status() : finish();
      bool fired = files_->fault_fired();
      if (power_cut) files_->crash();
      using_.clear();  // all processes are gone
      if (!fired) {
        EXPECT_TRUE(done.ok()) << done.error().text();
        EXPECT_GT(nth, 20U);
        break;
      }
      expect_whole(exchanges);
      bool back = undo || nth % 2 == 1;
      auto again = back ? undo_folder_swap(swap(), acts()).status() : finish();
      ASSERT_TRUE(again.ok()) << again.error().text();
      ASSERT_EQ(word("/srv/main"), back ? "old" : "new");
    }
  }
}

TEST_F(FolderSwapTest, OtherFoldersOfThoseNamesAreNotTouched) {
  ASSERT_TRUE(files_->make_directory("/srv/main.old-06FQ0KZ4", 0700).ok());
  EXPECT_EQ(look_at_folder_swap(swap()).error().kind(), ErrorKind::conflict);
  ASSERT_TRUE(files_->remove_directory("/srv/main.old-06FQ0KZ4").ok());
  ASSERT_TRUE(advance_folder_swap(swap(), acts()).ok());
  // Somebody restores over it in the meantime.
  ASSERT_TRUE(files_->rename("/srv/main", "/srv/gone").ok());
  ASSERT_TRUE(files_->make_directory("/srv/main", 0700).ok());
  EXPECT_EQ(advance_folder_swap(swap(), acts()).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(word("/srv/gone"), "old");
}

TEST_F(FolderSwapTest, WhatCannotBeExchangedIsRefused) {
  auto refusal = [&](const std::string& live) {
    auto checked = check_folder_swap(*files_, {live, "06FQ0KZ4", {}});
    return checked.ok() ? ExitCode::ok : checked.error().exit_code();
  };
  ASSERT_TRUE(files_->make_symlink("/srv/main", "/srv/link").ok());
  EXPECT_EQ(refusal("/srv/main"), ExitCode::ok);
  EXPECT_EQ(refusal("/srv/link"), ExitCode::refused);
  EXPECT_EQ(refusal("/srv/none"), ExitCode::refused);
  EXPECT_EQ(refusal("/srv/main/word"), ExitCode::refused);
  EXPECT_EQ(refusal("srv/main"), ExitCode::usage);
  EXPECT_EQ(refusal("/srv/main/"), ExitCode::usage);
}

TEST_F(FolderSwapTest, OnAHostWithoutTheFolderNothingIsKept) {
  auto kept = kept_folders(*files_, clock_, "/elsewhere/main");
  ASSERT_TRUE(kept.ok());
  EXPECT_TRUE(kept->empty());
  EXPECT_TRUE(remove_kept_folders(*files_, clock_, "/elsewhere/main").take().empty());
}

TEST_F(FolderSwapTest, WhatIsKeptGoesWhenItsTimeIsOver) {
  ASSERT_TRUE(finish().ok());
  auto kept = kept_folders(*files_, clock_, "/srv/main").take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].id, "06FQ0KZ4");
  EXPECT_EQ(kept[0].path, "/srv/main.old-06FQ0KZ4");
  EXPECT_TRUE(remove_kept_folders(*files_, clock_, "/srv/main").take().empty());
  clock_.advance(std::chrono::hours(25));
  ASSERT_TRUE(files_->rename("/srv/main", "/srv/away").ok());
  EXPECT_TRUE(remove_kept_folders(*files_, clock_, "/srv/main").take().empty())
      << "it may be the last one";
  EXPECT_FALSE(kept_folders(*files_, clock_, "/srv/main").take()[0].trouble.empty());
  ASSERT_TRUE(files_->rename("/srv/away", "/srv/main").ok());
  EXPECT_EQ(remove_kept_folders(*files_, clock_, "/srv/main").take(),
            Names{"/srv/main.old-06FQ0KZ4"});
  EXPECT_EQ(names(), Names{"main"});
  EXPECT_EQ(word("/srv/main"), "new");
}

}  // namespace
}  // namespace lb::swap
