// A real cluster exchanged under a client that asks all the time, by processes that are killed
// before and after each act.
#include "recovery/swap/cluster_swap.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/test_world.h"
#include "tests/harness/postgres_service.h"

namespace lb::swap {
namespace {

namespace fs = std::filesystem;
using test::PostgresServer;

// Asks all the time; what it gets, if it gets an answer, is of one cluster.
class Client {
 public:
  explicit Client(const std::string& conninfo)
      : thread_([this, conninfo](const std::stop_token& stop) {
          while (!stop.stop_requested()) ask(conninfo);
        }) {}
  int end() {
    thread_.request_stop();
    thread_.join();
    return answers_;
  }

 private:
  void ask(const std::string& conninfo) {
    auto connection = pg::Connection::open(Secret(conninfo));
    if (!connection.ok()) return;
    auto read = (*connection)
                    ->query(
                        "SELECT count(DISTINCT word), count(*)"
                        " FROM (TABLE said UNION ALL TABLE far) t");
    if (!read.ok()) return;
    EXPECT_EQ(read->rows[0][0], "1");
    EXPECT_EQ(read->rows[0][1], "1000");
    ++answers_;
  }
  int answers_ = 0;
  std::jthread thread_;
};

class ClusterSwapTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    server_ = PostgresServer::start();
    server_->sql("CREATE TABLE said AS SELECT 'good' AS word FROM generate_series(1, 500)");
    fs::create_directories(server_->folder() + "/space");
    test::give_to_server_user(server_->folder() + "/space");
    server_->sql("CREATE TABLESPACE roomy LOCATION '" + server_->folder() + "/space'");
    server_->sql("CREATE TABLE far TABLESPACE roomy AS SELECT * FROM said");
    server_->stop();
    // As a restore lays it out: tablespaces within. Its own configuration is another one.
    copy_tree(server_->data(), point_);
    auto oid = fs::directory_iterator(server_->data() + "/pg_tblspc")->path().filename().string();
    fs::create_directories(point_ + "/lifeboat_tablespaces");
    copy_tree(server_->folder() + "/space", point_ + "/lifeboat_tablespaces/" + oid);
    oid_ = oid;
    std::ofstream(point_ + "/postgresql.conf") << "port = 1\n";
    server_->start_again();
    server_->sql("UPDATE said SET word = 'bad'; UPDATE far SET word = 'bad'");
    server_->stop();
    service_ = std::make_unique<test::PostgresService>(*server_);
    service_->want("up");
    conninfo_ = std::make_unique<Secret>(server_->conninfo());
  }
  void TearDown() override {
    if (service_) service_->end();
  }
  // With owners.
  static void copy_tree(const std::string& from, const std::string& to) {
    auto command = cat("cp -a ", from, "/. ", to, "/");
    fs::create_directories(to);
    ASSERT_EQ(::system(command.c_str()), 0);
  }

  FolderSwap swap() {
    return {world_.world.files,
            world_.world.clock,
            {server_->data(), cat("swap", number_), std::chrono::hours(24)}};
  }
  // Killed before the n-th of the moments before and after acts.
  void moment(int& left) {
    if (left-- == 0) ::kill(::getpid(), SIGKILL);
  }
  ClusterSwap cluster(int& left) {
    auto around = [this, &left](const std::function<Status()>& act) {
      return [this, &left, act]() -> Status {
        moment(left);
        auto done = act();
        moment(left);
        return done;
      };
    };
    ClusterSwap out{world_.world, *conninfo_, server_->data()};
    out.fill = [this, &left](const std::string& folder) -> Status {
      moment(left);
      copy_tree(point_, folder);
      auto link = folder + "/pg_tblspc/" + oid_;
      fs::remove(link);
      fs::create_symlink(folder + "/lifeboat_tablespaces/" + oid_, link);
      moment(left);
      return {};
    };
    out.verify = [this, &left](const std::string& folder) -> Status {
      moment(left);
      return path_exists(world_.world.files, folder + "/PG_VERSION").status();
    };
    out.stop = around([this] { return want("down"); });
    out.start = around([this] { return want("up"); });
    return out;
  }
  FolderActs acts_of(const ClusterSwap& cluster, int& left) {
    auto acts = cluster_acts(cluster);
    for (auto* act : {&acts.prove}) {
      *act = [this, &left, inner = *act]() -> Status {
        moment(left);
        return inner();
      };
    }
    return acts;
  }
  Status finish(int left = -1) {
    auto one = cluster(left);
    auto acts = acts_of(one, left);
    for (;;) {
      auto state = advance_folder_swap(swap(), acts);
      if (!state.ok()) return state.status();
      moment(left);
      if (state->stage == FolderStage::swapped) return {};
    }
  }
  Status undo(int left = -1) {
    auto one = cluster(left);
    return undo_folder_swap(swap(), acts_of(one, left)).status();
  }
  Status want(const char* state) const {
    service_->want(state);
    return {};
  }
  bool survives(const std::function<Status()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(act().ok() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return false;
    EXPECT_EQ(WEXITSTATUS(status), 0) << "not killed, and failed";
    return true;
  }
  std::string found() const {
    return server_->value(
        "SELECT string_agg(DISTINCT word, '+') || ' ' || count(*)"
        " FROM (TABLE said UNION ALL TABLE far) t");
  }

  pg::TestWorld world_;
  test::TempDir dir_;
  std::string point_ = dir_ / "point", oid_;
  std::unique_ptr<PostgresServer> server_;
  std::unique_ptr<test::PostgresService> service_;
  std::unique_ptr<Secret> conninfo_;
  int number_ = 1000;
};

TEST_F(ClusterSwapTest, TheNewClusterServesAsTheOldOneDid) {
  auto preview = check_cluster_swap(world_.world, swap().wish, 1 << 20);
  ASSERT_TRUE(preview.ok()) << preview.error().text();
  EXPECT_TRUE(preview->running);
  EXPECT_EQ(preview->system_identifier,
            server_->value("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_EQ(preview->notes.size(), 1U) << "tablespaces";
  auto done = finish();
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(found(), "good 1000");
  EXPECT_EQ(server_->value("SHOW port"), std::to_string(server_->port()))
      << "not that of the point";
  EXPECT_EQ(server_->value("SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname ="
                           " 'roomy'"),
            server_->data() + "/lifeboat_tablespaces/" + oid_);
  done = undo();
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(found(), "bad 1000");
}

TEST_F(ClusterSwapTest, KilledAroundEachActItIsFinishedOrUndone) {
  int kills = 0;
  Client client(server_->conninfo());
  // At each moment once to go on from there, and once to go back.
  for (int n = 0;; ++n, ++number_) {
    bool back = n % 2 == 1;
    SCOPED_TRACE(cat("killed at moment ", n / 2, back ? ", then undone" : ", then finished"));
    bool survived = survives([&] { return finish(n / 2); });
    kills += survived ? 0 : 1;
    auto stage = look_at_folder_swap(swap()).take().stage;
    ASSERT_TRUE(fs::exists(server_->data() + "/PG_VERSION")) << "a whole one has the name";
    auto done = back ? undo() : finish();
    ASSERT_TRUE(done.ok()) << name_of(stage) << ": " << done.error().text();
    EXPECT_EQ(found(), back ? "bad 1000" : "good 1000");
    if (!back) {
      auto undone = undo();
      ASSERT_TRUE(undone.ok()) << undone.error().text();
      EXPECT_EQ(found(), "bad 1000");
    }
    if (survived && back) break;
  }
  EXPECT_GE(kills, 24);
  EXPECT_GT(client.end(), 50);
}

TEST_F(ClusterSwapTest, AnUndoKilledAroundEachActIsFinished) {
  int kills = 0;
  for (int n = 0;; ++n, ++number_) {
    SCOPED_TRACE(cat("killed at moment ", n));
    auto done = finish();
    ASSERT_TRUE(done.ok()) << done.error().text();
    bool survived = survives([&] { return undo(n); });
    kills += survived ? 0 : 1;
    done = undo();
    ASSERT_TRUE(done.ok()) << done.error().text();
    EXPECT_EQ(found(), "bad 1000");
    if (survived) break;
  }
  EXPECT_GE(kills, 5);
}

TEST_F(ClusterSwapTest, AServerThatIsNotOnTheFolderProvesNothing) {
  auto other = PostgresServer::start();
  Secret wrong(other->conninfo());
  int left = -1;
  auto one = cluster(left);
  ClusterSwap misled{world_.world, wrong, server_->data(), std::chrono::milliseconds(300)};
  misled.fill = one.fill;
  misled.verify = one.verify;
  misled.stop = one.stop;
  misled.start = one.start;
  auto acts = cluster_acts(misled);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(advance_folder_swap(swap(), acts).ok());
  auto done = advance_folder_swap(swap(), acts);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(look_at_folder_swap(swap()).take().stage, FolderStage::exchanged);
  EXPECT_TRUE(undo().ok());
  EXPECT_EQ(found(), "bad 1000");
}

TEST_F(ClusterSwapTest, AServerThatDoesNotStopIsNotExchanged) {
  int left = -1;
  auto one = cluster(left);
  one.limit = std::chrono::milliseconds(200);
  one.stop = [] { return Status(); };
  auto acts = cluster_acts(one);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(advance_folder_swap(swap(), acts).ok());
  EXPECT_FALSE(advance_folder_swap(swap(), acts).ok());
  EXPECT_EQ(look_at_folder_swap(swap()).take().stage, FolderStage::verified);
  EXPECT_EQ(found(), "bad 1000");
}

// The disaster that the swap is for: the old one would not start.
TEST_F(ClusterSwapTest, AServerThatWasDownBeforeIsNotStartedByUndo) {
  service_->want("down");
  int left = -1;
  auto one = cluster(left);
  one.start = [] { return Error(ErrorKind::unavailable, "it does not start"); };
  auto acts = cluster_acts(one);
  acts.prepare = [](const std::string&, const std::string&) {
    return Error(ErrorKind::exhausted, "no space");
  };
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(advance_folder_swap(swap(), acts).ok());
  EXPECT_FALSE(advance_folder_swap(swap(), acts).ok());
  auto undone = undo_folder_swap(swap(), acts);
  ASSERT_TRUE(undone.ok()) << undone.error().text();
  EXPECT_EQ(undone->stage, FolderStage::none);
}

TEST(MountedFolder, CannotBeExchanged) {
  pg::TestWorld world;
  test::TempDir dir;
  auto live = dir / "live";
  fs::create_directories(live);
  EXPECT_TRUE(check_folder_swap(world.world.files, {live, "abcd"}).ok());
  if (::mount("tmpfs", live.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "may not mount";
  auto checked = check_folder_swap(world.world.files, {live, "abcd"});
  ::umount(live.c_str());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().exit_code(), ExitCode::refused);
  EXPECT_NE(checked.error().message().find("mounted"), std::string::npos);
}

// A part of the same file system: its device tells nothing.
TEST(MountedFolder, CannotBeExchangedWhenItIsBoundThereEither) {
  pg::TestWorld world;
  test::TempDir dir;
  auto live = dir / "the live", other = dir / "other";
  fs::create_directories(live);
  fs::create_directories(other);
  if (::mount(other.c_str(), live.c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "may not mount";
  auto link = dir / "link";
  fs::create_directory_symlink(dir.path(), link);
  auto checked = check_folder_swap(world.world.files, {live, "abcd"});
  auto by_link = check_folder_swap(world.world.files, {link + "/the live", "abcd"});
  ::umount(live.c_str());
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.error().message().find("mounted"), std::string::npos);
  EXPECT_FALSE(by_link.ok());
  EXPECT_TRUE(check_folder_swap(world.world.files, {link + "/the live", "abcd"}).ok());
}

TEST(MountedFolder, ALinkAboveItIsNoMount) {
  pg::TestWorld world;
  test::TempDir dir, elsewhere;
  fs::create_directories(dir / "live");
  if (::mount("tmpfs", elsewhere.path().c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "may not mount";
  fs::create_directories(elsewhere / "live");
  auto link = dir / "link";
  fs::create_directory_symlink(elsewhere.path(), link);
  auto checked = check_folder_swap(world.world.files, {link + "/live", "abcd"});
  ::umount(elsewhere.path().c_str());
  EXPECT_TRUE(checked.ok()) << checked.error().text();
}

TEST_F(ClusterSwapTest, WhatCannotBeExchangedIsRefusedBeforehand) {
  auto exit = [&](const std::string& live, std::uint64_t bytes) {
    auto checked = check_cluster_swap(world_.world, {live, "abcd", {}}, bytes);
    return checked.ok() ? ExitCode::ok : checked.error().exit_code();
  };
  EXPECT_EQ(exit(server_->data(), 1), ExitCode::ok);
  EXPECT_EQ(exit(server_->folder() + "/space", 1), ExitCode::refused);
  EXPECT_EQ(exit(server_->data(), std::uint64_t{1} << 60), ExitCode::no_space);
  std::ofstream(server_->data() + "/standby.signal") << "";
  EXPECT_EQ(exit(server_->data(), 1), ExitCode::refused);
}

}  // namespace
}  // namespace lb::swap
