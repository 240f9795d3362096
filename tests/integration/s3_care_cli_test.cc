// Everything that takes care of a repository, in a bucket of a real object store: prune beside
// backups, copies, repair and mount, each also killed in its middle and left by its store.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/harness/kill_moments.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/s3_boat.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class S3CareCli : public S3Boat {
 protected:
  S3CareCli() : S3Boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    S3Boat::SetUp();
    if (!IsSkipped()) plan("  data: {files: ./data}\n");
  }
  void plan(const std::string& stores) {
    write_text(boat / "lifeboat.yaml",
               "version: 1\nsystem: test\nrepository:\n  at: \"" + address("main") +
                   "\"\n  retain: {hourly: 1h}\n  copies: [{at: \"" + address("copy") +
                   "\"}]\n  key: env:LIFEBOAT_KEY\nstores:\n" + stores);
  }
  void change_data(unsigned state, std::size_t bytes = 3'000'000) {
    write_text(boat / "data/same", random_text(bytes, 0));
    for (unsigned i = 0; i < 4; ++i) {
      write_text(boat / ("data/changes" + std::to_string(i)),
                 random_text(bytes, 10 * state + i + 1));
    }
  }
  void back_up(unsigned state) {
    change_data(state);
    boat.must({"backup"});
  }
  void expect_restores(const std::vector<std::string>& flags, const std::string& where) {
    fs::remove_all(boat / "back");
    std::vector<std::string> words = {"restore", "data", "--to", boat / "back"};
    words.insert(words.end(), flags.begin(), flags.end());
    auto done = boat.run(words);
    EXPECT_EQ(done.exit_code, 0) << where << done.err;
    EXPECT_EQ(tree_of(boat / "back"), tree_of(boat / "data")) << where;
  }
  // Starts a run, waits until it is in its middle and then lets the store go away and come back.
  template <typename Middle>
  Ran without_store(const std::vector<std::string>& words, Middle middle) {
    auto& ceph = CephServer::shared();
    auto running = boat.start(words);
    EXPECT_TRUE(eventually([&] { return !running->alive() || middle(); }));
    ceph.stop_gateway();
    auto ended = running->wait();
    ceph.start_gateway();
    return ended;
  }
};

const std::vector<std::string> prune = {"prune", "--confirm", "test", "--grace", "0s"};

TEST_F(S3CareCli, PruneFreesWhileABackupRuns) {
  boat.must({"init"});
  for (unsigned state : {1u, 2u, 3u}) back_up(state);
  auto before = objects("main", "p/").size();
  change_data(4);
  auto tree = tree_of(boat / "data");
  auto backup = boat.start({"backup", "--json"});
  ASSERT_TRUE(
      eventually([&] { return !backup->alive() || objects("main", "p/").size() > before; }));
  boat.must({"prune", "--confirm", "test"});
  EXPECT_EQ(backup->wait().exit_code, 0) << "nobody waits for the other";
  auto freed = boat.must({"prune", "--confirm", "test", "--json"}).summary();
  EXPECT_EQ(freed["sessions_awaited"].items().size(), 0u);
  EXPECT_EQ(tree_of(boat / "data"), tree);
  expect_restores({}, "after the prune: ");
  boat.must({"verify", "--read", "100%"});
  EXPECT_TRUE(objects("main", "g/").empty());
}

TEST_F(S3CareCli, AKilledPruneIsCarriedOn) {
  boat.must({"init"});
  back_up(1);
  KillMoments moments(std::chrono::milliseconds(500), 5);
  for (unsigned round = 2; moments.more(); ++round) {
    back_up(round);
    auto running = boat.start(prune);
    std::this_thread::sleep_for(moments.next());
    moments.killed(running->alive());
    running->signal(SIGKILL);
    running->wait();
    if (round % 3 == 0) boat.must({"verify"});
  }
  EXPECT_TRUE(moments.enough()) << moments.hits();
  boat.must(prune);
  boat.must(prune);
  expect_restores({}, "after all kills: ");
  boat.must({"verify", "--read", "100%"});
  EXPECT_TRUE(objects("main", "g/").empty());
  EXPECT_TRUE(objects("main", "i/").empty());
}

TEST_F(S3CareCli, CopiesAreKilledVerifiedAndReadFrom) {
  boat.must({"init"});
  int killed = 0;
  for (unsigned round = 1; round < 6; ++round) {
    back_up(round);
    auto before = objects("copy", "p/").size();
    auto running = boat.start({"copy", "sync"});
    EXPECT_TRUE(
        eventually([&] { return !running->alive() || objects("copy", "p/").size() > before; }));
    killed += running->alive() ? 1 : 0;
    running->signal(SIGKILL);
    running->wait();
    if (objects("copy", "e/").empty()) continue;
    auto verified = boat.run({"copy", "verify"});
    EXPECT_EQ(verified.exit_code, 0) << round << verified.out << verified.err;
  }
  EXPECT_GT(killed, 0);
  boat.must({"copy", "sync"});
  boat.must({"copy", "verify", "--compare"});
  expect_restores({"--from", "1"}, "from the copy: ");

  for (const auto& pack : objects("main", "p/")) flip("main", pack.key);
  expect_restores({}, "every pack damaged, healed while restoring: ");
  EXPECT_EQ(boat.run({"verify", "--read", "100%"}).exit_code, 13);
  boat.must({"repair", "--from", "1"});
  boat.must({"verify", "--read", "100%"});
}

// What people read where it lies, without a key: in the bucket and in its copy.
TEST_F(S3CareCli, RunbooksLieOpenInTheBucketAndChangesAreTold) {
  plan("  data: {files: ./data}\nrunbooks:\n  fire: {steps: [{manual: leave the house}]}\n");
  boat.must({"init"});
  back_up(1);
  boat.must({"copy", "sync"});
  const auto pages = objects("main", "runbooks/");
  ASSERT_EQ(pages.size(), 4U);
  const auto page = pages[2].key;
  EXPECT_TRUE(page.ends_with("/fire.html")) << page;
  const auto whole = open("copy")->get(page).take();
  EXPECT_NE(text_of(whole).find("leave the house"), std::string::npos);
  flip("main", page);
  auto told = boat.run({"verify", "--read", "0%"});
  EXPECT_EQ(told.exit_code, 13) << told.out;
  EXPECT_NE(told.out.find("/fire.html is not what was put there"), std::string::npos) << told.out;
  EXPECT_EQ(boat.run({"copy", "verify", "--compare", "--read", "0%"}).exit_code, 13);
  EXPECT_EQ(open("copy")->get(page).take(), whole) << "what differs is not copied over it";
  boat.must({"verify", "--heal"});
  EXPECT_EQ(open("main")->get(page).take(), whole);
  ASSERT_TRUE(open("copy")->remove(page).ok());
  boat.must({"copy", "sync"});
  EXPECT_EQ(open("copy")->get(page).take(), whole);
  boat.must({"prune"});
  EXPECT_EQ(objects("main", "runbooks/").size(), 4U);
  boat.must({"copy", "verify", "--compare"});
}

TEST_F(S3CareCli, ADatabaseComesBackFromACopy) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  server->sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 1000) n");
  boat.environment()["DB"] = server->conninfo();
  plan("  db: {postgres: env:DB}\n");
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  boat.must({"copy", "verify", "--compare"});
  boat.must({"restore", "db", "--to", boat / "from-copy", "--from", "1"});
  EXPECT_TRUE(fs::exists(boat / "from-copy/PG_VERSION"));
  for (const auto& pack : objects("main", "p/")) flip("main", pack.key);
  boat.must({"restore", "db", "--to", boat / "healed"});
  EXPECT_TRUE(fs::exists(boat / "healed/PG_VERSION"));
}

TEST_F(S3CareCli, AStoreThatGoesAwayIsSaidSoAndTheNextRunGoesOn) {
  boat.must({"init"});
  for (unsigned state : {1u, 2u}) back_up(state);
  auto synced = without_store({"copy", "sync"}, [&] { return !objects("copy", "p/").empty(); });
  EXPECT_EQ(synced.exit_code, 20) << synced.err;
  boat.must({"copy", "sync"});
  boat.must({"copy", "verify"});
  auto pruned = without_store(prune, [&] { return objects("main", "l/").size() > 0; });
  EXPECT_TRUE(pruned.exit_code == 20 || pruned.exit_code == 0) << pruned.err;
  boat.must(prune);
  boat.must({"verify", "--read", "100%"});
  expect_restores({}, "after both: ");
}

TEST_F(S3CareCli, AMountedPointReadsAsItWas) {
  int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) GTEST_SKIP() << "/dev/fuse cannot be opened here";
  ::close(device);
  boat.must({"init"});
  back_up(1);
  fs::create_directory(boat / "mnt");
  auto device_of = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_dev : 0;
  };
  auto plain = device_of(boat / "mnt");
  auto running = boat.start({"mount", "data", boat / "mnt", "--foreground"});
  ASSERT_TRUE(eventually([&] { return !running->alive() || device_of(boat / "mnt") != plain; }));
  for (const auto& path : files_below(boat / "data")) {
    auto name = fs::path(path).filename().string();
    std::string found;
    for (const auto& mounted : files_below(boat / "mnt")) {
      if (fs::path(mounted).filename() == name) found = mounted;
    }
    ASSERT_FALSE(found.empty()) << name;
    EXPECT_EQ(read_text(found), read_text(path)) << name;
  }
  EXPECT_EQ(::umount2((boat / "mnt").c_str(), 0), 0);
  EXPECT_EQ(running->wait().exit_code, 0);
}

}  // namespace
}  // namespace lb::test
