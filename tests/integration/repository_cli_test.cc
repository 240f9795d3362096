// One repository in the circumstances it meets over the years: several hosts at once, a disk that
// only reads, and everything gone that can be made again.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/small_disk.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// Neither compressible nor alike for different seeds.
std::string noise(unsigned seed, std::size_t size) {
  std::string out;
  for (auto state = seed * 2654435761u + 1; out.size() < size;) {
    state = state * 1664525u + 1013904223u;
    out += static_cast<char>(state >> 24);
  }
  return out;
}

// A host: its own data, state and cache, and a store of its own name.
class Host {
 public:
  Host(const std::string& store, const std::string& repository, const std::string& more = {})
      : boat(LIFEBOAT_BINARY), store_(store) {
    boat.write_plan("stores:\n  " + store + ": {files: ./data}\n" + more, repository);
    auto path = boat / "lifeboat.yaml";
    auto text = read_text(path);
    text.insert(text.find("key:"), "retain: {hourly: 1h}, ");
    write_text(path, text);
  }
  void change(unsigned state) {
    for (unsigned i = 0; i < 8; ++i) {
      // Half of it is what the other host has too.
      write_text(boat / ("data/file" + std::to_string(i)),
                 noise(i % 2 == 0 ? i : 1000 * state + i, 200'000));
    }
    trees_.push_back(tree_of(boat / "data"));
  }
  // The newest point is the last state.
  void expect_restores(const std::string& where) {
    fs::remove_all(boat / "back");
    auto done = boat.run({"restore", store_, "--to", boat / "back"});
    EXPECT_EQ(done.exit_code, 0) << where << done.err;
    EXPECT_EQ(tree_of(boat / "back"), trees_.back()) << where;
  }
  std::set<std::string> objects(const std::string& prefix) {
    std::set<std::string> out;
    for (const auto& path : files_below(boat.repository() + "/" + prefix)) out.insert(path);
    return out;
  }

  Lifeboat boat;

 private:
  std::string store_;
  std::vector<std::map<std::string, std::string>> trees_;
};

TEST(RepositoryCli, TwoHostsBackUpAndPruneAtOnce) {
  Host one("web", "./repository");
  Host two("mail", one.boat.repository());
  one.boat.must({"init"});
  for (unsigned round = 1; round <= 5; ++round) {
    one.change(round);
    two.change(100 + round);
    std::vector<std::unique_ptr<Running>> all;
    all.push_back(one.boat.start({"backup"}));
    all.push_back(two.boat.start({"backup"}));
    all.push_back(one.boat.start({"prune", "--confirm", "test"}));
    all.push_back(two.boat.start({"prune", "--confirm", "test"}));
    for (auto& running : all) {
      auto ended = running->wait();
      // A point that was just held or forgotten by the other, or a session that was aborted.
      EXPECT_EQ(ended.exit_code, 0) << round << ended.err;
    }
    one.expect_restores("round " + std::to_string(round) + ", one: ");
    two.expect_restores("round " + std::to_string(round) + ", two: ");
    auto verified = one.boat.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
  }
  // Each forgets its own points: of stores it does not know it keeps all.
  one.boat.must({"prune", "--confirm", "test"});
  two.boat.must({"prune", "--confirm", "test"});
  auto points = two.boat.must({"ls", "--json"}).summary();
  EXPECT_EQ(points["points"].items().size(), 2u) << "one of each store is kept";
  one.expect_restores("after all: ");
  two.expect_restores("after all: ");
}

TEST(RepositoryCli, EverythingThatCanBeMadeAgainMayGo) {
  Host host("data", "./repository");
  host.boat.must({"init"});
  host.change(1);
  host.boat.must({"backup"});
  host.change(2);
  host.boat.must({"backup"});
  auto packs = host.objects("p");
  for (const auto* folder : {"repository/x", "repository/i", "repository/tmp", "state", ".cache"}) {
    fs::remove_all(host.boat / folder);
  }
  host.expect_restores("without all that: ");
  host.boat.must({"verify", "--deep"});
  host.boat.must({"status"});
  // What is read again is found by its hash alone: that needs the index, which is made again.
  host.boat.must({"repair"});
  fs::rename(host.boat / "data/file1", host.boat / "data/moved");
  auto again = host.boat.must({"backup", "--json"}).lines()[0];
  EXPECT_EQ(again["new_bytes"].integer(), 0) << again.dump();
  for (const auto& pack : packs) EXPECT_TRUE(fs::exists(pack));
  host.boat.must({"verify"});
}

// What the tools of the system say of a folder: every name, kind, mode, owner, time, size, number
// of links and target; extended attributes with the ACLs among them.
std::string told_by_tools(const std::string& folder) {
  auto out = folder + ".told";
  auto command =
      "cd '" + folder + "' && { LC_ALL=C find . -type d -printf '%P %y %m %U %G %T@\\0' -o " +
      "-printf '%P %y %m %U %G %T@ %s %n %l\\0' | LC_ALL=C sort -z; " +
      "find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - ; } > '" + out + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << folder;
  return read_text(out);
}

TEST(RepositoryCli, OtherToolsFindWhatIsRestoredTheSame) {
  Host host("data", "./repository");
  host.change(1);
  auto data = host.boat / "data";
  write_text(data + "/with\nline and \xff byte", "odd");
  auto made = std::system(
      ("cd '" + data +
       "' && mkdir -p sub/deep && ln file1 sub/one && ln file1 sub/deep/two && "
       "ln -s nowhere broken && ln -s sub link && mkfifo pipe && mkdir -m 1777 empty && "
       "truncate -s 50M sparse && printf x | dd of=sparse bs=1 seek=20M conv=notrunc status=none "
       "&& "
       "setfattr -n user.colour -v blue file2 && setfattr -n user.depth -v 7 sub && "
       "setfacl -m u:1234:r file3 && setfacl -d -m g:77:rx sub && chmod 4711 file4 && "
       "touch -h -d '2001-02-03T04:05:06.789012345Z' broken && "
       "touch -d '1969-12-31T23:59:58.25Z' file4 empty")
          .c_str());
  ASSERT_EQ(made, 0);
  auto root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(std::system(("chown -h 1234:77 '" + data + "/link' '" + data + "/file5'").c_str()),
              0);
  }
  auto before = told_by_tools(data);
  ASSERT_NE(before.find("user.colour"), std::string::npos) << before;
  host.boat.must({"init"});
  host.boat.must({"backup"});
  host.boat.must({"restore", "data", "--to", host.boat / "back"});
  EXPECT_EQ(told_by_tools(host.boat / "back"), before);
  auto same = "diff -r --no-dereference -x pipe '" + data + "' '" + (host.boat / "back") + "'";
  EXPECT_EQ(std::system(same.c_str()), 0);
}

TEST(RepositoryCli, AReadOnlyPlaceIsReadAndSaysSoWhenItIsToBeWritten) {
  Host host("data", "./repository");
  host.boat.must({"init"});
  host.change(1);
  host.boat.must({"backup"});
  auto place = host.boat.repository();
  bool mounted =
      ::mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      ::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  if (!mounted) GTEST_SKIP() << "mounting takes root";
  auto before = host.objects("");
  host.expect_restores("read only: ");
  for (const auto& words : std::vector<std::vector<std::string>>{{"ls"},
                                                                 {"info"},
                                                                 {"verify", "--deep"},
                                                                 {"find", "data", "*"},
                                                                 {"cat", "data:file0"},
                                                                 {"status"},
                                                                 {"prune", "-n"},
                                                                 {"repair", "-n"}}) {
    auto ran = host.boat.run(words);
    EXPECT_EQ(ran.exit_code, 0) << words[0] << ran.out << ran.err;
  }
  for (const auto* word : {"backup", "prune"}) {
    auto refused = host.boat.run({word});
    EXPECT_EQ(refused.exit_code, 1) << word << refused.out << refused.err;
    EXPECT_NE(refused.err.find("Read-only file system"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("can be read, verified and restored"), std::string::npos)
        << refused.err;
  }
  EXPECT_NE(host.boat.run({"doctor"}).exit_code, 0);
  EXPECT_EQ(host.objects(""), before) << "nothing was left behind";
  ::umount2(place.c_str(), MNT_DETACH);
  host.change(2);
  host.boat.must({"backup"});
  host.expect_restores("writable again: ");
  host.boat.must({"verify"});
}

// Also when it is the disk with the state of this host that is full, one can restore.
TEST(RepositoryCli, AFullDiskOfTheStateSaysWhatToDo) {
  Host host("data", "./repository");
  SmallDisk disk(host.boat / "small", "2m", "700");
  if (!disk.mounted()) GTEST_SKIP() << "mounting takes root";
  host.boat.must({"init"});
  host.change(1);
  auto& state = host.boat.environment()["LIFEBOAT_STATE"];
  state = host.boat / "small/state";
  host.boat.must({"backup"});
  std::ofstream(host.boat / "small/fill") << noise(1, 2 << 20);  // as much as fits
  // One that has a journal there, and one that would make it.
  for (const auto* folder : {"small/state", "small/fresh"}) {
    state = host.boat / folder;
    auto refused = host.boat.run({"restore", "data", "--to", host.boat / "back"});
    EXPECT_EQ(refused.exit_code, 22) << folder << refused.out << refused.err;
    EXPECT_NE(refused.err.find("LIFEBOAT_STATE=FOLDER"), std::string::npos) << refused.err;
  }
  state = host.boat / "elsewhere";
  host.expect_restores("with a state elsewhere: ");
}

// Backups that fill a disk leave prune what it needs to free some of it.
TEST(RepositoryCli, AFullDiskIsFreedByPrune) {
  Host host("data", "./small/repository");
  SmallDisk disk(host.boat / "small", "20m", "700");
  if (!disk.mounted()) GTEST_SKIP() << "mounting takes root";
  host.boat.must({"init"});
  std::string newest;
  auto back_up = [&] {
    auto ran = host.boat.run({"backup", "--json"});
    if (ran.exit_code == 0) newest = ran.lines().front()["snapshot"].string();
    return ran;
  };
  // First much at a time, then less, so that there is space for it nearly to the end.
  host.change(1);
  unsigned state = 0;
  Ran full;
  for (std::size_t bytes : {1'000'000u, 100'000u, 10u}) {
    for (unsigned i = 0; i < 8; ++i) {
      write_text(host.boat / ("data/file" + std::to_string(i)), std::to_string(i));
    }
    do {
      write_text(host.boat / "data/file0", noise(++state, bytes));
      full = back_up();
    } while (full.exit_code == 0 && state < 300);
  }
  EXPECT_EQ(full.exit_code, 22) << full.out << full.err;
  EXPECT_NE(full.err.find("No space left"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("lifeboat prune"), std::string::npos) << full.err;
  host.boat.must({"verify"});
  host.boat.must({"restore", "data", "--to", host.boat / "back", "--point", newest});
  auto told = host.boat.run({"doctor"});
  EXPECT_EQ(told.exit_code, 22) << told.out << told.err;
  EXPECT_NE(told.out.find("backups are refused"), std::string::npos) << told.out;
  auto pruned = host.boat.run({"prune", "--confirm", "test", "--grace", "0s"});
  EXPECT_EQ(pruned.exit_code, 0) << pruned.out << pruned.err;
  host.change(2);
  EXPECT_EQ(back_up().exit_code, 0);
  fs::remove_all(host.boat / "back");
  host.boat.must({"restore", "data", "--to", host.boat / "back"});
  EXPECT_EQ(tree_of(host.boat / "back"), tree_of(host.boat / "data"));
  host.boat.must({"verify"});
}

}  // namespace
}  // namespace lb::test
