// Copies of a repository with the real program: synced, verified, killed, healed from, repaired.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class CopiesCli : public testing::Test {
 protected:
  CopiesCli() : boat(LIFEBOAT_BINARY) {
    plan("[{at: ./copy, within: 1h}]");
    for (int i = 0; i < 40; ++i) {
      write_text(boat / ("data/dir" + std::to_string(i % 5) + "/file" + std::to_string(i)),
                 text(i, 977u * static_cast<unsigned>(i)));
    }
    boat.must({"init"});
    boat.must({"backup"});
  }
  // Not compressible to nothing, and different for each seed.
  static std::string text(int seed, std::size_t size) {
    std::string out;
    unsigned state = static_cast<unsigned>(seed) * 2654435761u + 1;
    while (out.size() < size) {
      state = state * 1664525u + 1013904223u;
      out += static_cast<char>(state >> 24);
    }
    return out;
  }
  void plan(const std::string& copies) {
    auto line = copies.empty() ? "" : "  copies: " + copies + "\n";
    write_text(boat / "lifeboat.yaml",
               "version: 1\nsystem: test\nrepository:\n  at: ./repository\n  key: "
               "env:LIFEBOAT_KEY\n" +
                   line + "stores:\n  data: {files: ./data}\n");
  }
  std::vector<std::string> objects(const std::string& folder, const std::string& prefix) {
    std::vector<std::string> out;
    for (const auto& path : files_below(boat / folder)) {
      if (path.starts_with(boat / (folder + "/" + prefix))) out.push_back(path);
    }
    return out;
  }
  void expect_restores(const std::vector<std::string>& flags, const std::string& where) {
    fs::remove_all(boat / "back");
    std::vector<std::string> words = {"restore", "data", "--to", boat / "back"};
    words.insert(words.end(), flags.begin(), flags.end());
    auto done = boat.run(words);
    EXPECT_EQ(done.exit_code, 0) << where << done.err;
    EXPECT_EQ(tree_of(boat / "back"), tree_of(boat / "data")) << where;
  }
  static void flip(const std::string& path) {
    auto bytes = read_text(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_text(path, bytes);
  }
  Lifeboat boat;
};

TEST_F(CopiesCli, SyncsVerifiesAndSaysHowFarItLags) {
  auto before = boat.run({"status"});
  EXPECT_EQ(before.exit_code, 4);
  EXPECT_NE(before.out.find("was never made"), std::string::npos) << before.out;
  auto first = boat.must({"copy", "sync", "--json"});
  EXPECT_GT(first.lines()[0]["objects"].integer(), 3);
  auto verified = boat.must({"copy", "verify", "--compare"});
  EXPECT_NE(verified.out.find("clean"), std::string::npos);
  EXPECT_NE(verified.out.find("0 differ"), std::string::npos) << verified.out;
  EXPECT_NE(boat.must({"status"}).out.find("up to date"), std::string::npos);

  plan("[{at: ./copy, within: 1s}]");
  boat.must({"backup"});
  ::sleep(2);
  auto late = boat.run({"status"});
  EXPECT_EQ(late.exit_code, 4) << late.out;
  EXPECT_NE(late.out.find("not there yet: 1 points"), std::string::npos) << late.out;
  EXPECT_EQ(boat.run({"copy", "verify"}).exit_code, 4);
  boat.must({"copy", "sync"});
  boat.must({"status"});
  EXPECT_EQ(boat.run({"copy", "sync", "nowhere"}).exit_code, 2);
  plan("");
  EXPECT_EQ(boat.run({"copy", "sync"}).exit_code, 2);
}

TEST_F(CopiesCli, KilledSyncsLeaveACopyInWhichEveryPointIsWhole) {
  for (int round = 0; round < 10; ++round) {
    for (int j = 0; j < 4; ++j) {
      write_text(boat / ("data/big" + std::to_string(j)), text(round * 10 + j, 3'000'000));
    }
    boat.must({"backup"});
    auto running = boat.start({"copy", "sync"});
    ::usleep(static_cast<useconds_t>(200'000 + round * 40'000));
    running->signal(SIGKILL);
    running->wait();
    if (objects("copy", "e/").empty()) continue;
    auto verified = boat.run({"copy", "verify"});
    EXPECT_EQ(verified.exit_code, 0) << round << verified.out << verified.err;
  }
  boat.must({"copy", "sync"});
  boat.must({"copy", "verify", "--compare"});
  expect_restores({"--from", "1"}, "after all kills: ");
}

TEST_F(CopiesCli, WhatDiffersIsLoudAndStays) {
  boat.must({"copy", "sync"});
  auto pack = objects("copy", "p/").front();
  auto good = read_text(pack);
  write_text(pack, good.substr(0, good.size() - 3));
  auto sync = boat.run({"copy", "sync"});
  EXPECT_EQ(sync.exit_code, 13) << sync.err;
  EXPECT_NE(sync.err.find("differs: p/"), std::string::npos) << sync.err;
  EXPECT_EQ(read_text(pack).size(), good.size() - 3) << "never overwritten";
  auto verify = boat.run({"copy", "verify", "--compare"});
  EXPECT_EQ(verify.exit_code, 13);
  EXPECT_NE(verify.out.find("is damaged in the copy"), std::string::npos) << verify.out;
}

TEST_F(CopiesCli, DamageHereIsNotCopied) {
  auto pack = objects("repository", "p/").front();
  flip(pack);
  auto sync = boat.run({"copy", "sync"});
  EXPECT_EQ(sync.exit_code, 3) << sync.err;
  EXPECT_NE(sync.err.find("damaged in the repository, not copied"), std::string::npos) << sync.err;
  EXPECT_TRUE(objects("copy", "p/").empty());
  EXPECT_TRUE(objects("copy", "e/").empty()) << "the point would not be whole";
}

TEST_F(CopiesCli, RestoresFromACopyWhenTheRepositoryIsGone) {
  boat.must({"copy", "sync"});
  fs::remove_all(boat / "repository");
  auto gone = boat.run({"restore", "data", "--to", boat / "x"});
  EXPECT_EQ(gone.exit_code, 10);
  EXPECT_NE(gone.err.find("--from"), std::string::npos) << gone.err;
  expect_restores({"--from", "./copy"}, "repository gone: ");
}

TEST_F(CopiesCli, DamageOfEveryKindIsHealedWhileRestoring) {
  boat.must({"copy", "sync"});
  for (const auto& path : files_below(boat.repository())) {
    auto object = path.substr(boat.repository().size() + 1);
    auto good = read_text(path);
    for (int how = 0; how < 3; ++how) {
      if (how == 0) flip(path);
      if (how == 1) write_text(path, good.substr(0, good.size() / 2));
      if (how == 2) fs::remove(path);
      auto where = object + " damaged in way " + std::to_string(how) + ": ";
      // A point whose verdict is missing is not listed: only the copy knows of it.
      bool unlisted = object.starts_with("e/") && how == 2;
      if (!unlisted) expect_restores({}, where);
      write_text(path, good);
      if (HasFailure()) return;
    }
  }
  flip(objects("repository", "p/").front());
  auto told = boat.run({"restore", "data", "--to", boat / "again"});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_NE(told.err.find("healed from ./copy: p/"), std::string::npos) << told.err;
  EXPECT_NE(told.err.find("lifeboat repair"), std::string::npos) << told.err;
}

TEST_F(CopiesCli, RepairBringsEveryKindOfObjectBackFromACopy) {
  boat.must({"copy", "sync"});
  std::map<std::string, std::string> whole;
  for (const auto& path : files_below(boat.repository())) whole[path] = read_text(path);
  int round = 0;
  for (const auto& [path, good] : whole) {
    auto object = path.substr(boat.repository().size() + 1);
    // The end of the sync itself is in the journal only after it; intents stay where they are.
    if (!fs::exists(boat / ("copy/" + object))) continue;
    int how = round++ % 3;
    if (how == 0) flip(path);
    if (how == 1) write_text(path, good.substr(0, good.size() / 2));
    if (how == 2) fs::remove(path);
    auto shown = boat.run({"repair", "-n"});
    if (how < 2) {
      EXPECT_NE(shown.out.find(object), std::string::npos) << shown.out << shown.err;
      EXPECT_NE(shown.out.find("; 0 lost for good; nothing was changed"), std::string::npos)
          << shown.out;
      EXPECT_EQ(shown.exit_code, 0) << object << shown.out << shown.err;
    }
    auto repaired = boat.run({"repair"});
    EXPECT_EQ(repaired.exit_code, 0) << object << repaired.out << repaired.err;
    auto verified = boat.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << object << how << verified.out;
    if (!object.starts_with("x/") || how != 2) {
      EXPECT_EQ(read_text(path), good) << object;
    }
    if (HasFailure()) return;
  }
  expect_restores({}, "after all repairs: ");
}

TEST_F(CopiesCli, VerifySaysWhichCopyHasItWholeAndPutsItBackWhenAsked) {
  boat.must({"copy", "sync"});
  std::map<std::string, std::string> whole;
  for (const auto* kind : {"p/", "e/", "x/", "r/"}) {
    auto path = objects("repository", kind).front();
    whole[path] = read_text(path);
  }
  for (const auto& [path, good] : whole) {
    auto object = path.substr(boat.repository().size() + 1);
    for (int how = 0; how < 3; ++how) {
      // A lost point, index or record is seen by asking the copies alone.
      if (how == 2 && !object.starts_with("p/") && !object.starts_with("e/")) continue;
      if (how == 0) flip(path);
      if (how == 1) write_text(path, good.substr(0, good.size() / 2));
      if (how == 2) fs::remove(path);
      auto told = boat.run({"verify"});
      bool seen = how < 2 || object.starts_with("p/");
      EXPECT_EQ(told.exit_code, seen ? 13 : 0) << object << how << told.out;
      if (seen) {
        EXPECT_NE(told.out.find("whole in ./copy"), std::string::npos) << object << how << told.out;
        EXPECT_NE(told.out.find("lifeboat verify --heal"), std::string::npos) << told.out;
        EXPECT_FALSE(fs::exists(path) && read_text(path) == good) << "nothing was touched";
      }
      auto healed = boat.run({"verify", "--heal", "--read", "0%", "--json"});
      if (how == 0 && object.starts_with("p/")) {
        // A structural look does not read the frame that was hit.
        EXPECT_EQ(healed.exit_code, 0) << healed.out;
        healed = boat.run({"verify", "--heal", "--json"});
      }
      EXPECT_EQ(healed.exit_code, 0) << object << how << healed.out << healed.err;
      EXPECT_EQ(healed.lines()[0]["healed"].integer(), 1) << object << how << healed.out;
      EXPECT_EQ(read_text(path), good) << object << how;
      EXPECT_EQ(boat.run({"verify"}).exit_code, 0) << object << how;
      if (HasFailure()) return;
    }
  }
  expect_restores({}, "after all: ");
}

TEST_F(CopiesCli, VerifyDoesNotClaimWhatNoCopyCanMend) {
  boat.must({"copy", "sync"});
  auto pack = objects("repository", "p/").front();
  auto bad = boat / ("copy/" + pack.substr(boat.repository().size() + 1));
  flip(pack);
  flip(bad);
  auto told = boat.run({"verify", "--json"});
  EXPECT_EQ(told.exit_code, 13);
  EXPECT_EQ(told.lines()[0]["findings"].items().at(0)["whole_in"].string(), "");
  auto tried = boat.run({"verify", "--heal"});
  EXPECT_EQ(tried.exit_code, 13) << tried.out << tried.err;
  EXPECT_NE(tried.out.find("set aside"), std::string::npos) << tried.out;
  plan("[{at: ./nowhere, within: 1h}]");
  auto unread = boat.run({"verify"});
  EXPECT_EQ(unread.exit_code, 13);
  EXPECT_NE(unread.err.find("not asked"), std::string::npos) << unread.err;
  EXPECT_NE(unread.out.find("lifeboat repair -n says"), std::string::npos) << unread.out;
  EXPECT_EQ(unread.out.find("puts back"), std::string::npos) << unread.out;
  plan("");
  EXPECT_EQ(boat.run({"verify", "--heal"}).exit_code, 2) << "there is no copy";
}

TEST_F(CopiesCli, WithoutACopyTheNextBackupStoresAgainWhatWasLost) {
  plan("");
  for (int how = 0; how < 3; ++how) {
    auto pack = objects("repository", "p/").front();
    auto good = read_text(pack);
    if (how == 0) flip(pack);
    if (how == 1) write_text(pack, good.substr(0, good.size() / 2));
    if (how == 2) fs::remove(pack);
    EXPECT_EQ(boat.run({"verify"}).exit_code, 13);
    auto shown = boat.run({"repair", "-n", "--json"});
    EXPECT_EQ(shown.exit_code, 3) << "as the run itself: " << how << shown.out << shown.err;
    auto repaired = boat.run({"repair", "--json"});
    EXPECT_EQ(repaired.exit_code, 3) << how << repaired.out << repaired.err;
    for (const auto* count : {"healed", "indexed", "set_aside", "removed"}) {
      EXPECT_EQ(shown.summary()[count].integer(), repaired.summary()[count].integer()) << count;
    }
    EXPECT_EQ(shown.summary()["lost"].items().size(), repaired.summary()["lost"].items().size());
    EXPECT_TRUE(shown.summary()["dry_run"].boolean());
    EXPECT_NE(repaired.out.find("\"affected\":[\"data "), std::string::npos) << how << repaired.out;
    auto backup = boat.run({"backup", "--json"});
    EXPECT_EQ(backup.exit_code, 0) << how << backup.err;
    auto point = backup.lines()[0]["snapshot"].string();
    expect_restores({"--point", point}, "after a new backup: ");
    auto verified = boat.run({"verify"});
    EXPECT_EQ(verified.exit_code, 13) << "the older point stays damaged";
    EXPECT_EQ(verified.out.find("point " + point), std::string::npos) << verified.out;
    if (HasFailure()) return;
  }
}

TEST_F(CopiesCli, KilledRepairsLoseNothing) {
  for (int j = 0; j < 4; ++j)
    write_text(boat / ("data/big" + std::to_string(j)), text(j, 3'000'000));
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  auto points = objects("repository", "e/").size();
  for (int round = 0; round < 8; ++round) {
    for (const auto* kind : {"p/", "e/", "r/", "x/"}) {
      for (const auto& path : objects("repository", kind)) {
        auto object = path.substr(boat.repository().size() + 1);
        if (fs::exists(boat / ("copy/" + object))) flip(path);
      }
    }
    auto running = boat.start({"repair"});
    ::usleep(static_cast<useconds_t>(300'000 + round * 60'000));
    running->signal(SIGKILL);
    running->wait();
    // Flipping twice is whole again: every round begins with what a finished repair left.
    auto repaired = boat.run({"repair"});
    EXPECT_EQ(repaired.exit_code, 0) << round << repaired.out << repaired.err;
    auto verified = boat.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << round << verified.out;
    EXPECT_EQ(objects("repository", "e/").size(), points) << round;
    EXPECT_TRUE(objects("repository", "q/").empty()) << round;
    if (HasFailure()) return;
  }
  expect_restores({}, "after all kills: ");
}

TEST_F(CopiesCli, ACopyIsRepairedFromTheRepository) {
  boat.must({"copy", "sync"});
  flip(objects("copy", "p/").front());
  EXPECT_EQ(boat.run({"copy", "verify"}).exit_code, 13);
  auto repaired = boat.run({"repair", "--on", "1"});
  EXPECT_EQ(repaired.exit_code, 0) << repaired.out << repaired.err;
  boat.must({"copy", "verify", "--compare"});
}

}  // namespace
}  // namespace lb::test
