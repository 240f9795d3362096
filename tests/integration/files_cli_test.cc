// The program on a file tree: what a user does on a good day, and what it says on a bad one.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class FilesCli : public testing::Test {
 protected:
  FilesCli() : boat(LIFEBOAT_BINARY) {
    boat.write_plan("stores:\n  data: {files: ./data, every: hourly, objective: {rpo: 2h}}\n");
    for (int i = 0; i < 40; ++i) {
      write_text(boat / ("data/dir" + std::to_string(i % 5) + "/file" + std::to_string(i)),
                 std::string(static_cast<std::size_t>(i) * 977, static_cast<char>('a' + i % 26)));
    }
    fs::create_symlink("file0", boat / "data/dir0/link");
  }
  Lifeboat boat;
};

TEST_F(FilesCli, ProtectsLosesAndGetsBack) {
  boat.must({"init"});
  boat.must({"backup"});
  auto before = tree_of(boat / "data");
  fs::remove_all(boat / "data");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);

  auto points = boat.must({"ls", "--json"}).summary();
  ASSERT_EQ(points["points"].items().size(), 1u);
  EXPECT_EQ(points["points"].items()[0]["store"].string(), "data");
  EXPECT_NE(boat.must({"info"}).out.find("data: 1 point"), std::string::npos);
  auto verified = boat.must({"verify", "--json"}).summary();
  EXPECT_TRUE(verified["ok"].boolean());
  EXPECT_GT(verified["chunks"].integer(), 0);
}

TEST_F(FilesCli, OriginalPlaceNeedsTheNameTyped) {
  boat.must({"init"});
  boat.must({"backup"});
  auto before = tree_of(boat / "data");
  write_text(boat / "data/dir0/file0", "overwritten by mistake");
  auto refused = boat.run({"restore", "data", "--to", "original"});
  EXPECT_EQ(refused.exit_code, 5) << refused.err;
  EXPECT_EQ(read_text(boat / "data/dir0/file0"), "overwritten by mistake");
  boat.must({"restore", "data", "--to", "original", "--confirm", "test"});
  EXPECT_EQ(tree_of(boat / "data"), before);
}

TEST_F(FilesCli, ExactListsWhatItDeletesAndAsks) {
  boat.must({"init"});
  boat.must({"backup"});
  auto before = tree_of(boat / "data");
  write_text(boat / "data/dir1/stray", "not in the point");
  auto refused = boat.run({"restore", "data", "--to", "original", "--exact"});
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_NE(refused.err.find("will delete  dir1/stray"), std::string::npos) << refused.err;
  EXPECT_TRUE(fs::exists(boat / "data/dir1/stray"));
  boat.must({"restore", "data", "--to", "original", "--exact", "--confirm", "test"});
  EXPECT_EQ(tree_of(boat / "data"), before);
}

TEST_F(FilesCli, UnreadableFilesAreNamedAndTheRestIsSaved) {
  // Files that not even root may read: the kernel's write-only settings.
  boat.write_plan("stores:\n  settings: {files: /proc/sys/vm}\n");
  boat.must({"init"});
  auto backup = boat.run({"backup", "--json"});
  EXPECT_EQ(backup.exit_code, 3) << backup.err;
  EXPECT_NE(backup.err.find("compact_memory"), std::string::npos) << backup.err;
  EXPECT_GT(backup.summary()["unread"].integer(), 0);
  auto points = boat.must({"ls", "--json"}).summary()["points"].items();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_GT(points[0]["rows"].integer(), 10);
}

TEST_F(FilesCli, WrongKeyAndMissingRepositorySaySo) {
  auto none = boat.run({"backup"});
  EXPECT_EQ(none.exit_code, 10) << none.err;
  EXPECT_NE(none.err.find("hint: "), std::string::npos);
  boat.must({"init"});
  EXPECT_EQ(boat.run({"init"}).exit_code, 1) << "a second init must not touch the first repository";
  boat.must({"backup"});
  boat.environment()["LIFEBOAT_KEY"] = "incorrect horse battery";
  auto wrong = boat.run({"ls"});
  EXPECT_EQ(wrong.exit_code, 12) << wrong.err;
  EXPECT_EQ(wrong.err.find("incorrect horse"), std::string::npos) << "the key must not be printed";
  boat.environment().erase("LIFEBOAT_KEY");
  auto missing = boat.run({"ls"});
  EXPECT_EQ(missing.exit_code, 2) << missing.err;
  EXPECT_NE(missing.err.find("LIFEBOAT_KEY"), std::string::npos);
}

TEST_F(FilesCli, EveryDamagedObjectIsNamedAndNeverRestoredAsGood) {
  boat.must({"init"});
  boat.must({"backup"});
  auto before = tree_of(boat / "data");
  int flipped = 0;
  for (const auto& path : files_below(boat.repository())) {
    auto good = read_text(path);
    if (good.empty()) continue;
    auto bad = good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
    fs::permissions(path, fs::perms(0600));
    write_text(path, bad);
    auto verify = boat.run({"verify", "--json"});
    EXPECT_NE(verify.exit_code, 0) << path << " was damaged and verify was content";
    auto restored = boat / ("damaged" + std::to_string(++flipped));
    auto restore = boat.run({"restore", "data", "--to", restored});
    if (restore.exit_code == 0) {
      EXPECT_EQ(tree_of(restored), before) << path;
    }
    write_text(path, good);
  }
  EXPECT_GE(flipped, 4);
  boat.must({"verify"});
}

TEST_F(FilesCli, MissingAndTruncatedObjectsAreNamed) {
  boat.must({"init"});
  boat.must({"backup"});
  std::string pack;
  for (const auto& path : files_below(boat.repository())) {
    if (path.find("/p/") != std::string::npos) pack = path;
  }
  ASSERT_FALSE(pack.empty());
  auto good = read_text(pack);
  write_text(pack, good.substr(0, good.size() - 7));
  auto truncated = boat.run({"verify", "--json"});
  EXPECT_EQ(truncated.exit_code, 13) << truncated.out;
  fs::remove(pack);
  auto missing = boat.run({"verify"});
  EXPECT_EQ(missing.exit_code, 13);
  EXPECT_NE(missing.out.find("data"), std::string::npos)
      << "the affected store is named: " << missing.out;
  auto restore = boat.run({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(restore.exit_code, 13) << restore.err;
}

TEST_F(FilesCli, KilledBackupsLeaveAWholeRepository) {
  boat.must({"init"});
  boat.must({"backup"});
  auto first = tree_of(boat / "data");
  auto point = boat.must({"ls", "--json"}).summary()["points"].items()[0]["id"].string();
  for (int i = 0; i < 12; ++i) {
    for (int j = 0; j < 6; ++j) {
      write_text(
          boat / ("data/big" + std::to_string(j)),
          std::string(3000000, static_cast<char>('A' + i + j)) + std::to_string(i * 100 + j));
    }
    auto running = boat.start({"backup"});
    ::usleep(static_cast<useconds_t>(i) * 12000);
    running->signal(SIGKILL);
    running->wait();
    boat.must({"verify"});
  }
  boat.must({"restore", "data", "--to", boat / "first", "--point", point});
  EXPECT_EQ(tree_of(boat / "first"), first);
  boat.must({"backup"});
  boat.must({"restore", "data", "--to", boat / "last"});
  EXPECT_EQ(tree_of(boat / "last"), tree_of(boat / "data"));
}

TEST_F(FilesCli, KilledRestoreIsFinishedByTheNext) {
  boat.must({"init"});
  for (int j = 0; j < 10; ++j) {
    std::string text;
    for (int k = 0; k < 200000; ++k) text += std::to_string(k * (j + 3)) + " ";
    write_text(boat / ("data/big" + std::to_string(j)), text);
  }
  boat.must({"backup"});
  for (int i = 0; i < 6; ++i) {
    auto running = boat.start({"restore", "data", "--to", boat / "back"});
    ::usleep(static_cast<useconds_t>(i) * 30000);
    running->signal(SIGKILL);
    running->wait();
  }
  boat.must({"restore", "data", "--to", boat / "back", "--exact", "--confirm", "test"});
  EXPECT_EQ(tree_of(boat / "back"), tree_of(boat / "data"));
}

TEST_F(FilesCli, StatusSaysWhatIsMissing) {
  boat.must({"init"});
  auto before = boat.run({"status"});
  EXPECT_EQ(before.exit_code, 4) << before.out;
  EXPECT_NE(before.out.find("no recovery point"), std::string::npos);
  boat.must({"backup"});
  auto after = boat.run({"status"});
  EXPECT_EQ(after.exit_code, 0) << after.out;
  EXPECT_NE(after.out.find("if it failed now you would lose"), std::string::npos);
}

TEST_F(FilesCli, PlanMistakesComeAllAtOnceWithTheirPlaces) {
  write_text(
      boat / "lifeboat.yaml",
      "version: 1\nsystem: test\nsystem: again\nrepository: {at: ./r, key: hunter2hunter2hunter2}\n"
      "stroes: {}\nstores:\n  data: {files: ./data, every: sometimes}\n");
  auto ran = boat.run({"plan", "check"});
  EXPECT_EQ(ran.exit_code, 2);
  for (const char* text :
       {"lifeboat.yaml:3:1", "lifeboat.yaml:5:1", "did you mean", "lifeboat.yaml:7:"}) {
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << " in\n" << ran.out;
  }
  EXPECT_EQ(boat.run({"backup"}).exit_code, 2);
}

TEST_F(FilesCli, WhatIsNotBuiltIsRefusedWithItsPlace) {
  boat.write_plan(
      "stores:\n  data: {files: ./data}\n  cache: {redis: env:REDIS_URL, every: 30m}\n");
  boat.must({"plan", "check"});
  boat.must({"init"});
  auto ran = boat.run({"backup"});
  EXPECT_EQ(ran.exit_code, 2) << ran.err;
  EXPECT_NE(ran.err.find("not supported yet: a redis store"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("lifeboat.yaml:6:"), std::string::npos) << ran.err;
  boat.must({"backup", "data"});
}

TEST(Cli, WordsAreCheckedAndHelpBeginsWithExamples) {
  Lifeboat boat(LIFEBOAT_BINARY);
  EXPECT_EQ(boat.run({}).exit_code, 2);
  auto unknown = boat.run({"bakcup"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("did you mean backup?"), std::string::npos) << unknown.err;
  for (const auto& words :
       {std::vector<std::string>{"copy"}, {"copy", "--help"}, {"copy", "snc"}}) {
    auto half = boat.run(words);
    EXPECT_EQ(half.exit_code, 2);
    EXPECT_NE(half.err.find("hint: lifeboat copy sync, lifeboat copy verify"), std::string::npos)
        << half.err;
  }
  for (const char* verb : {"init", "doctor", "backup", "ls", "info", "show", "restore", "verify",
                           "drill", "report", "status", "version"}) {
    auto help = boat.must({verb, "--help"}).out;
    EXPECT_TRUE(help.starts_with("Examples:\n")) << verb;
  }
  EXPECT_TRUE(boat.must({"plan", "schema"}).out.starts_with("{"));
  EXPECT_NE(boat.must({"version", "--json"}).summary()["version"].string(), "");
}

}  // namespace
}  // namespace lb::test
