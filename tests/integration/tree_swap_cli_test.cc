// A file tree exchanged for a restored one by a runbook: nothing merged, nothing lost, put back by
// undo; killed anywhere, one whole tree has the name.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/harness/kill_moments.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

struct Tree {
  Tree() : boat(LIFEBOAT_BINARY) {
    boat.environment()["SUDO_USER"] = "ada";
    for (int n = 0; n < files_saved; ++n) write_text(file(n), "saved " + std::to_string(n));
    fs::permissions(boat / "media", fs::perms(0750));
  }
  void plan(const std::string& store = "", const std::string& step = "") {
    boat.write_plan("stores:\n  media: {files: ./media, every: hourly" + store +
                    "}\n"
                    "targets:\n  live: {stores: {media: ./media}}\n"
                    "checks:\n  tree:\n    - files: {count: recorded, hashes: recorded}\n"
                    "people: {operator: {users: [ada]}}\n"
                    "runbooks:\n  main:\n    steps:\n"
                    "      - restore: {store: media, to: live, how: beside-then-swap" +
                    step +
                    "}\n"
                    "      - verify: [tree]\n"
                    "      - manual: look at it\n");
  }
  void saved(const std::string& store = "", const std::string& step = "") {
    plan(store, step);
    boat.must({"init"});
    boat.must({"backup"});
    spoil();
  }
  // What is live lacks one, has one more, and one that differs.
  void spoil() {
    fs::remove(file(0));
    write_text(file(1), "spoiled");
    write_text(boat / "media/foreign", "made since");
  }
  std::string file(int n) const { return boat / ("media/f" + std::to_string(n)); }
  // "saved", "spoiled", or what is wrong.
  std::string live() const {
    std::set<std::string> names;
    for (const auto& each : fs::directory_iterator(boat / "media"))
      names.insert(each.path().filename());
    bool foreign = names.contains("foreign");
    auto first = read_text(file(1));
    if (!foreign && names.size() == files_saved && first == "saved 1") return "saved";
    if (foreign && names.size() == files_saved && first == "spoiled") return "spoiled";
    return std::to_string(names.size()) + " files, " + first;
  }
  std::string state_of(std::size_t step) {
    auto ran = boat.run({"run", "show", "--json"});
    if (ran.exit_code != 0) return "no run";
    return ran.lines().back()["steps"].items().at(step - 1)["state"].string();
  }
  std::vector<Json> swaps() {
    return boat.must({"swap", "ls", "--json"}).summary()["swaps"].items();
  }

  static constexpr int files_saved = 40;
  Lifeboat boat;
};

class TreeSwapCli : public testing::Test, protected Tree {};

TEST_F(TreeSwapCli, TheTreeBecomesThePointAndUndoPutsTheOldOneBack) {
  saved();
  auto ran = boat.run({"run", "main", "--no-wait"});
  ASSERT_EQ(state_of(1), "done") << ran.err;
  EXPECT_EQ(state_of(2), "done") << ran.err;
  EXPECT_EQ(live(), "saved");
  EXPECT_EQ(fs::status(boat / "media").permissions(), fs::perms(0750)) << "as the point has it";
  auto kept = swaps();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0]["stage"].string(), "swapped");
  EXPECT_EQ(read_text(kept[0]["beside"].string() + "/foreign"), "made since");
  boat.must({"step", "undo", "1", "-m", "it was the wrong point"});
  boat.run({"resume", "--no-wait"});
  EXPECT_EQ(state_of(1), "undone");
  EXPECT_EQ(live(), "spoiled");
}

TEST_F(TreeSwapCli, SwapUndoAndSwapCleanKnowTrees) {
  saved("", ", keep_old: 1s");
  boat.run({"run", "main", "--no-wait"});
  ASSERT_EQ(live(), "saved");
  auto id = swaps().at(0)["id"].string();
  EXPECT_EQ(boat.run({"swap", "undo", id, "--confirm", "other"}).exit_code, 5);
  EXPECT_EQ(live(), "saved");
  boat.must({"swap", "undo", id, "--confirm", "test"});
  EXPECT_EQ(live(), "spoiled");
  // Its time is over some when; then what was put aside goes, and what is live stays.
  while (!swaps().empty()) {
    boat.must({"swap", "clean"});
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(live(), "spoiled");
  for (const auto& each : fs::directory_iterator(boat.folder()))
    EXPECT_FALSE(each.path().filename().string().starts_with("media.")) << each.path();
}

TEST_F(TreeSwapCli, TheServiceIsStoppedWhileTheTreesAreExchanged) {
  boat.environment()["LEDGER"] = boat / "ledger";
  saved("", ", stop: 'cat media/f1 >> $LEDGER', start: 'cat media/f1 >> $LEDGER'");
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(live(), "saved") << ran.err;
  EXPECT_EQ(read_text(boat / "ledger"), "spoiledsaved 1");
}

TEST_F(TreeSwapCli, APointOfAPartOfTheTreeDoesNotTakeItsPlace) {
  saved(", exclude: [foreign]");
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(state_of(1), "failed");
  EXPECT_NE(ran.err.find("holds only a part of media"), std::string::npos) << ran.err;
  EXPECT_EQ(live(), "spoiled");
  EXPECT_TRUE(swaps().empty());
}

TEST_F(TreeSwapCli, ARepositoryInTheTreeIsNotTakenAwayWithIt) {
  saved();
  fs::rename(boat.repository(), boat / "media/repository");
  fs::create_directory_symlink(boat / "media/repository", boat.repository());
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(state_of(1), "failed") << ran.err;
  EXPECT_NE(ran.err.find("it would be exchanged with it"), std::string::npos) << ran.err;
  EXPECT_EQ(read_text(file(1)), "spoiled");
}

TEST_F(TreeSwapCli, ByHandTheTreeIsCheckedExchangedAndGivenBack) {
  boat.environment()["LEDGER"] = boat / "ledger";
  saved();
  std::vector<std::string> words = {"restore",          "media",   "--to", "original", "--how",
                                    "beside-then-swap", "--check", "tree"};
  auto unasked = boat.run(words);
  EXPECT_EQ(unasked.exit_code, 5) << unasked.err;
  for (const char* said : {"host", "target   test: the tree ", "loses    all that was written",
                           "replaces tree ", "keeps    the old one for 7d"})
    EXPECT_NE(unasked.err.find(said), std::string::npos) << said << " in " << unasked.err;
  words.insert(words.end(), {"--confirm", "test"});
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return more;
  };
  EXPECT_EQ(boat.run(with({"--stop", "true"})).exit_code, 2) << "nobody would start it again";
  EXPECT_EQ(boat.run(with({"--only", "f1"})).exit_code, 2) << "the rest would be gone";
  boat.must(with({"-n"}));
  EXPECT_EQ(live(), "spoiled");
  EXPECT_TRUE(swaps().empty());
  auto done = boat.must(with({"--stop", "cat media/f1 >> $LEDGER", "--start",
                              "cat media/f1 >> $LEDGER", "--keep-old", "1d", "--json"}));
  EXPECT_EQ(live(), "saved");
  EXPECT_EQ(read_text(boat / "ledger"), "spoiledsaved 1");
  auto summary = done.summary();
  EXPECT_EQ(summary["how"].string(), "beside-then-swap");
  EXPECT_EQ(read_text(summary["old"].string() + "/foreign"), "made since");
  boat.must({"swap", "undo", summary["swap"].string(), "--confirm", "test"});
  EXPECT_EQ(live(), "spoiled");
}

TEST_F(TreeSwapCli, ByHandATreeThatFailsItsChecksStaysBesideAndGoesOnOrGoes) {
  saved();
  auto text = read_text(boat / "lifeboat.yaml");
  auto at = text.find("count: recorded");
  write_text(boat / "lifeboat.yaml", text.replace(at, 15, "count: 7"));
  std::vector<std::string> words = {"restore",          "media",   "--to", "original",  "--how",
                                    "beside-then-swap", "--check", "tree", "--confirm", "test"};
  auto failed = boat.run(words);
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_EQ(live(), "spoiled");
  EXPECT_EQ(boat.run(words).exit_code, 5) << "the one under way is not forgotten";
  auto id = swaps().at(0)["id"].string();
  EXPECT_NE(failed.err.find("--run " + id), std::string::npos) << failed.err;
  plan();
  words.insert(words.end(), {"--run", id});
  boat.must(words);
  EXPECT_EQ(live(), "saved");
}

TEST(TreeSwap, KilledAnywhereOneWholeTreeHasTheNameAndItGoesOn) {
  KillMoments moments(std::chrono::milliseconds(900), 8);
  while (moments.more()) {
    Tree tree;
    tree.saved();
    auto running = tree.boat.start({"run", "main", "--no-wait"});
    std::this_thread::sleep_for(moments.next());
    bool at_work = running->alive();
    running->signal(SIGKILL);
    running->wait();
    moments.killed(at_work);
    auto now = tree.live();
    EXPECT_TRUE(now == "saved" || now == "spoiled") << now;
    // Nothing is to be resumed when it was killed before it began.
    auto resumed = tree.boat.run({"resume", "--no-wait"});
    if (tree.live() != "saved") resumed = tree.boat.run({"run", "main", "--no-wait"});
    EXPECT_EQ(tree.live(), "saved") << resumed.err;
    EXPECT_EQ(tree.state_of(1), "done") << resumed.err;
    EXPECT_EQ(tree.swaps().size(), 1u) << "the old tree, and nothing half made";
  }
  EXPECT_TRUE(moments.enough()) << moments.hits() << " kills hit";
}

}  // namespace
}  // namespace lb::test
