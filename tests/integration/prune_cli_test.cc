// prune, hold and unhold by the real program: what a user sees, and SIGKILL while backups run.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

std::string text_for(unsigned seed, std::size_t size) {
  std::string out;
  for (auto state = seed * 2654435761u + 1; out.size() < size;) {
    state = state * 1664525u + 1013904223u;
    out += static_cast<char>(state >> 24);
  }
  return out;
}

class PruneCli : public testing::Test {
 protected:
  PruneCli() : boat(LIFEBOAT_BINARY) { write_plan("{hourly: 1h}"); }

  void write_plan(const std::string& retain) {
    boat.write_plan("stores: {data: {files: ./data}}\n");
    auto path = boat / "lifeboat.yaml";
    auto text = read_text(path);
    auto end = text.find("stores:");
    ASSERT_NE(end, std::string::npos);
    auto key = text.find("key:");
    ASSERT_NE(key, std::string::npos);
    text.insert(key, "retain: " + retain + ", ");
    write_text(path, text);
  }
  // A new state of the data, and a point of it. Returns its id.
  std::string take_point(unsigned state) {
    change_data(state);
    auto id = boat.must({"backup", "--json"}).lines().front()["snapshot"].string();
    trees[id] = tree_of(boat / "data");
    return id;
  }
  void change_data(unsigned state) {
    for (unsigned i = 0; i < 6; ++i) {
      write_text(boat / ("data/file" + std::to_string(i)),
                 text_for(i < 3 ? i : 100 * state + i, 60'000));
    }
  }
  std::set<std::string> points() {
    std::set<std::string> out;
    auto listed = boat.must({"ls", "--json"}).summary();
    for (const auto& point : listed["points"].items()) {
      out.insert(point["id"].string());
    }
    return out;
  }
  void expect_restores(const std::string& id) {
    fs::remove_all(boat / "back");
    boat.must({"restore", "data", "--to", boat / "back", "--point", id});
    EXPECT_EQ(tree_of(boat / "back"), trees[id]) << id;
  }

  Lifeboat boat;
  std::map<std::string, std::map<std::string, std::string>> trees;
};

TEST_F(PruneCli, ShowsThenForgetsThenFrees) {
  boat.must({"init"});
  auto first = take_point(1), second = take_point(2), third = take_point(3);
  auto shown = boat.must({"prune", "-n"});
  EXPECT_NE(shown.out.find("forget"), std::string::npos) << shown.out;
  EXPECT_NE(shown.err.find("would forget 2 points"), std::string::npos) << shown.err;
  EXPECT_EQ(points().size(), 3u);

  auto refused = boat.run({"prune"});
  EXPECT_EQ(refused.exit_code, 5) << "two of three points are more than half";
  EXPECT_EQ(points().size(), 3u);

  auto done = boat.must({"prune", "--confirm", "test", "--json"}).summary();
  EXPECT_EQ(done["points_forgotten"].integer(), 2);
  EXPECT_GT(done["bytes_freed"].integer(), 100'000);
  EXPECT_EQ(points(), std::set<std::string>{third});
  expect_restores(third);
  boat.must({"verify"});
  EXPECT_EQ(boat.run({"restore", "data", "--to", boat / "x", "--point", first}).exit_code, 14);
  auto again = boat.must({"prune", "--json"}).summary();
  EXPECT_EQ(again["points_forgotten"].integer(), 0);
  EXPECT_EQ(again["packs_deleted"].integer(), 0);
}

TEST_F(PruneCli, RewritesPacksThatAreMostlyUnused) {
  boat.must({"init"});
  for (unsigned i = 0; i < 40; ++i) {
    write_text(boat / ("data/large" + std::to_string(i)), text_for(1000 + i, 150'000));
  }
  take_point(1);
  for (unsigned i = 0; i < 36; ++i) fs::remove(boat / ("data/large" + std::to_string(i)));
  auto kept = take_point(2);
  auto untouched = boat.must({"prune", "--confirm", "test", "--repack-budget", "0", "--json"});
  EXPECT_EQ(untouched.summary()["packs_rewritten"].integer(), 0);
  auto shown = boat.must({"prune", "-n", "--repack-budget", "1GB"});
  EXPECT_NE(shown.err.find("would rewrite 1 packs"), std::string::npos) << shown.err;
  auto done = boat.must({"prune", "--json"}).summary();
  EXPECT_EQ(done["packs_rewritten"].integer(), 1) << "one in any case, though it exceeds a tenth";
  EXPECT_GT(done["bytes_freed"].integer(), 5'000'000);
  EXPECT_LT(done["bytes_rewritten"].integer(), 1'500'000);
  expect_restores(kept);
  boat.must({"verify", "--deep"});
  EXPECT_EQ(boat.must({"prune", "--json"}).summary()["packs_rewritten"].integer(), 0);
  auto next = take_point(2);
  expect_restores(next);
  EXPECT_NE(boat.must({"diff", kept, next}).exit_code, 1);
  for (const char* bad : {"half", "-5%", "200%"}) {
    EXPECT_EQ(boat.run({"prune", "--repack-below", bad}).exit_code, 2) << bad;
  }
  EXPECT_EQ(boat.run({"prune", "--repack-budget", "much"}).exit_code, 2);
}

TEST_F(PruneCli, FreesWhatIsDeadBetweenWhatIsNeeded) {
  boat.must({"init"});
  auto small = [&](unsigned i) { return boat / ("data/small/" + std::to_string(i)); };
  fs::create_directories(boat / "data/small");
  std::uintmax_t needed = 6 * 60'000;
  for (unsigned i = 0; i < 800; ++i) {
    auto size = 1000 + i * 37 % 9000;
    write_text(small(i), text_for(5000 + i, size));
    needed += i % 4 == 0 ? size : 0;
  }
  take_point(1);
  for (unsigned i = 0; i < 800; ++i) {
    if (i % 4 != 0) fs::remove(small(i));
  }
  auto kept = take_point(2);
  boat.must({"prune", "--confirm", "test", "--repack-budget", "100%"});
  EXPECT_EQ(points(), std::set<std::string>{kept});
  std::uintmax_t stored = 0;
  for (const auto& path : files_below(boat.repository() + "/p")) stored += fs::file_size(path);
  EXPECT_LT(stored, needed + needed / 4);
  expect_restores(kept);
  boat.must({"verify", "--deep"});
  auto next = take_point(2);
  expect_restores(next);
  expect_restores(kept);
}

TEST_F(PruneCli, AHeldPointStaysUntilItIsReleased) {
  boat.must({"init"});
  auto first = take_point(1), second = take_point(2);
  boat.must({"hold", first.substr(0, 20), "--why", "before the migration", "--until", "90d"});
  auto listed = boat.must({"ls"});
  EXPECT_NE(listed.out.find("before the migration"), std::string::npos) << listed.out;
  EXPECT_EQ(boat.must({"prune", "--json"}).summary()["points_forgotten"].integer(), 0);
  expect_restores(first);
  boat.must({"unhold", first});
  EXPECT_EQ(boat.must({"prune", "--json"}).summary()["points_forgotten"].integer(), 1);
  EXPECT_EQ(points(), std::set<std::string>{second});
  EXPECT_EQ(boat.run({"hold", first}).exit_code, 14);
  EXPECT_EQ(boat.run({"hold", second, "--until", "yesterday"}).exit_code, 2);
}

TEST_F(PruneCli, WithoutRetainNothingIsForgotten) {
  boat.write_plan("stores: {data: {files: ./data}}\n");
  boat.must({"init"});
  take_point(1);
  take_point(2);
  EXPECT_EQ(boat.must({"prune", "--json"}).summary()["points_forgotten"].integer(), 0);
  EXPECT_EQ(points().size(), 2u);
}

// The last run of each kind is left to end by itself: then all points restore, and all is clean.
TEST_F(PruneCli, SurvivesSigkillWhileBackupsRun) {
  boat.must({"init"});
  take_point(1);
  for (unsigned round = 2; round < 14; ++round) {
    change_data(round);
    auto tree = tree_of(boat / "data");
    auto backup = boat.start({"backup", "--json"});
    auto prune = boat.start({"prune", "--confirm", "test", "--grace", "0s", "--repack-below",
                             "100%", "--repack-budget", "100%"});
    ::usleep(20'000 * round);
    prune->signal(SIGKILL);
    (void)prune->wait();
    auto ended = backup->wait();
    // A grace of nothing ends sessions that run: then the backup says so, and its next try works.
    if (ended.exit_code == 0) {
      trees[ended.lines().front()["snapshot"].string()] = tree;
    } else {
      EXPECT_NE((ended.out + ended.err).find("aborted by a collector"), std::string::npos)
          << ended.out << ended.err;
    }
    if (round % 4 == 0) boat.must({"verify"});
  }
  auto last = take_point(99);
  boat.must({"prune", "--confirm", "test", "--grace", "0s"});
  boat.must({"prune", "--confirm", "test", "--grace", "0s"});
  for (const auto& id : points()) expect_restores(id);
  EXPECT_TRUE(points().contains(last));
  boat.must({"verify"});
  for (const auto& path : files_below(boat.repository())) {
    EXPECT_EQ(path.find("/g/"), std::string::npos) << path;
    EXPECT_EQ(path.find("/i/"), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace lb::test
