#include "recovery/swap/switch.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"

namespace lb::swap {
namespace {

class SwitchTest : public testing::Test {
 protected:
  void SetUp() override { make_disk(true); }
  void make_disk(bool present) {
    files_ = std::make_unique<SimFiles>();
    told_.clear();
    ASSERT_TRUE(make_directories(*files_, "/etc/app", 0755).ok());
    if (present) {
      ASSERT_TRUE(write_durably(*files_, path, view_of("old"), 0640).ok());
      ASSERT_TRUE(files_->set_owner(path, 7, 8).ok());
    }
    ASSERT_TRUE(files_->sync_filesystem("/etc").ok());
  }
  SwitchWish wish() {
    return {"06FQ0KZ4", path, [this]() -> Status {
              told_.push_back(text(path));
              return {};
            }};
  }
  std::string text(const std::string& file) {
    auto bytes = read_file(*files_, file, 100);
    return bytes.ok() ? std::string(text_of(*bytes)) : "none";
  }
  std::size_t entries() { return files_->list("/etc/app").take().size(); }
  SwitchStage stage() { return look_at_switch(*files_, wish(), fresh_).take(); }

  const std::string path = "/etc/app/database";
  Secret fresh_{std::string_view("new")};
  std::unique_ptr<SimFiles> files_;
  std::vector<std::string> told_;  // what the file said when the hook ran
};

using Texts = std::vector<std::string>;

TEST_F(SwitchTest, WritesTellsAndPutsBack) {
  EXPECT_EQ(stage(), SwitchStage::none);
  ASSERT_TRUE(make_switch(*files_, wish(), fresh_).ok());
  EXPECT_EQ(stage(), SwitchStage::written);
  EXPECT_EQ(text(path), "new");
  auto info = files_->info(path).take();
  EXPECT_EQ(info.mode, 0640U) << "whoever read it reads it still";
  EXPECT_EQ(info.uid, 7U);
  EXPECT_EQ(files_->info(path + ".before-06FQ0KZ4").take().mode, 0600U);
  ASSERT_TRUE(make_switch(*files_, wish(), fresh_).ok());
  ASSERT_TRUE(undo_switch(*files_, wish()).ok());
  EXPECT_EQ(text(path), "old");
  info = files_->info(path).take();
  EXPECT_EQ(info.mode, 0640U);
  EXPECT_EQ(info.gid, 8U);
  EXPECT_EQ(told_, (Texts{"new", "new", "old"}));
  EXPECT_EQ(entries(), 1U);
  ASSERT_TRUE(undo_switch(*files_, wish()).ok());
  EXPECT_EQ(told_.size(), 3U) << "nothing is undone twice";
}

TEST_F(SwitchTest, AFileThatWasNotThereGoesAgain) {
  make_disk(false);
  ASSERT_TRUE(make_switch(*files_, wish(), fresh_).ok());
  EXPECT_EQ(files_->info(path).take().mode, 0600U);
  ASSERT_TRUE(undo_switch(*files_, wish()).ok());
  EXPECT_EQ(entries(), 0U);
  EXPECT_EQ(told_, (Texts{"new", "none"}));
}

TEST_F(SwitchTest, ForgottenTheOldSecretIsGone) {
  ASSERT_TRUE(make_switch(*files_, wish(), fresh_).ok());
  ASSERT_TRUE(forget_switch(*files_, wish()).ok());
  EXPECT_EQ(entries(), 1U);
  ASSERT_TRUE(undo_switch(*files_, wish()).ok());
  EXPECT_EQ(text(path), "new");
}

TEST_F(SwitchTest, AHookThatFailsIsAskedAgain) {
  auto failing = wish();
  failing.hook = [] { return Error(ErrorKind::unavailable, "no"); };
  EXPECT_FALSE(make_switch(*files_, failing, fresh_).ok());
  EXPECT_EQ(stage(), SwitchStage::written);
  EXPECT_FALSE(undo_switch(*files_, failing).ok());
  EXPECT_EQ(text(path), "old");
  EXPECT_EQ(entries(), 2U) << "still to be undone";
  ASSERT_TRUE(undo_switch(*files_, wish()).ok());
  EXPECT_EQ(told_, Texts{"old"});
  EXPECT_EQ(entries(), 1U);
}

TEST_F(SwitchTest, LinksAndOtherThingsAreRefused) {
  ASSERT_TRUE(files_->make_symlink(path, "/etc/app/link").ok());
  auto other = wish();
  other.file = "/etc/app/link";
  EXPECT_EQ(make_switch(*files_, other, fresh_).error().kind(), ErrorKind::conflict);
  other.file = "/etc/app";
  EXPECT_EQ(make_switch(*files_, other, fresh_).error().kind(), ErrorKind::conflict);
  other.file = "database";
  EXPECT_EQ(make_switch(*files_, other, fresh_).error().kind(), ErrorKind::invalid);
  EXPECT_TRUE(told_.empty());
}

TEST_F(SwitchTest, OnlyFilesCanBeWritten) {
  using Kind = plan::Reference::Kind;
  auto check = [](Kind kind) {
    plan::Reference place;
    place.kind = kind;
    place.value = "X";
    auto checked = check_switch_place(place);
    return checked.ok() ? ExitCode::ok : checked.error().exit_code();
  };
  EXPECT_EQ(check(Kind::file), ExitCode::ok);
  for (auto kind : {Kind::env, Kind::command, Kind::literal, Kind::kms})
    EXPECT_EQ(check(kind), ExitCode::usage);
}

// A fault at each call, then again or back; the file is whole at every moment.
TEST_F(SwitchTest, FaultsAtEveryCallAreOvercome) {
  for (int kind = 0; kind < 8; ++kind) {
    bool present = kind % 2 == 0, undo = kind / 2 % 2 == 1, power_cut = kind / 4 == 1;
    for (std::uint64_t nth = 0;; ++nth) {
      SCOPED_TRACE(cat("kind ", kind, " call ", nth));
      make_disk(present);
      if (undo) {
        ASSERT_TRUE(make_switch(*files_, wish(), fresh_).ok());
      }
      files_->fail_call(nth);
      auto done = undo ? undo_switch(*files_, wish()) : make_switch(*files_, wish(), fresh_);
      bool fired = files_->fault_fired();
      if (power_cut) files_->crash();
      if (!fired) {
        EXPECT_TRUE(done.ok()) << done.error().text();
        EXPECT_GT(nth, 8U);
        break;
      }
      const std::string before = present ? "old" : "none";
      EXPECT_TRUE(text(path) == before || text(path) == "new") << text(path);
      bool back = undo || nth % 2 == 1;
      auto again = back ? undo_switch(*files_, wish()) : make_switch(*files_, wish(), fresh_);
      ASSERT_TRUE(again.ok()) << again.error().text();
      ASSERT_EQ(text(path), back ? before : "new");
      if (present) {
        ASSERT_EQ(files_->info(path).take().mode, 0640U);
      }
    }
  }
}

}  // namespace
}  // namespace lb::swap
