#include <signal.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

bool process_lives(const std::string& pid) {
  return std::filesystem::exists("/proc/" + pid + "/exe");
}

TEST(PostgresServer, AnswersAndLeavesNothing) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  std::string folder, pid;
  {
    auto server = PostgresServer::start({.tcp = true});
    folder = server->folder();
    pid = std::to_string(server->pid());
    server->sql("CREATE TABLE t AS SELECT generate_series(1, 10) AS id");
    EXPECT_EQ(server->value("SELECT count(*) FROM t"), "10");
    EXPECT_EQ(server->value("SHOW data_checksums"), "on");
    EXPECT_THROW(server->sql("SELECT no_such_column"), std::runtime_error);
    EXPECT_TRUE(process_lives(pid));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(process_lives(pid));
}

TEST(PostgresServer, ComesBackAfterEveryKindOfStop) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE t AS SELECT 7 AS id");
  for (const StopMode mode : {StopMode::fast, StopMode::immediate, StopMode::kill}) {
    server->stop(mode);
    EXPECT_FALSE(server->running());
    server->start_again();
    EXPECT_EQ(server->value("SELECT id FROM t"), "7");
  }
}

TEST(PostgresServer, StandbyFollowsAndIsPromoted) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto primary = PostgresServer::start();
  auto standby = PostgresServer::standby_of(*primary);
  EXPECT_EQ(standby->value("SELECT pg_is_in_recovery()"), "t");
  standby->promote();
  standby->sql("CREATE TABLE t (id int)");
}

// The machine has a few thousand segments for all: a killed server must not keep one for ever.
TEST(PostgresServer, LeavesNoSharedMemoryBehindWhenItIsKilled) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  std::ifstream lock_file(server->data() + "/postmaster.pid");
  std::string line;
  for (int number = 1; number <= 7; ++number) std::getline(lock_file, line);
  const int id = std::stoi(line.substr(line.find_last_of(' ')));
  shmid_ds found{};
  ASSERT_EQ(::shmctl(id, IPC_STAT, &found), 0) << line;
  server.reset();
  EXPECT_EQ(::shmctl(id, IPC_STAT, &found), -1);
}

// The child process starts a server and is killed: the server must go with it, and the next sweep
// takes the folder.
TEST(PostgresServer, GoesWithAKilledTestProcess) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  TempDir shared;
  const pid_t child = ::fork();
  if (child == 0) {
    auto server = PostgresServer::start();
    std::ofstream(shared / "pid.new") << server->pid() << "\n" << server->folder() << "\n";
    std::filesystem::rename(shared / "pid.new", shared / "pid");
    for (;;) ::pause();
  }
  while (!std::filesystem::exists(shared / "pid")) {
    ASSERT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::string pid, folder;
  std::ifstream(shared / "pid") >> pid >> folder;
  ASSERT_TRUE(process_lives(pid));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (process_lives(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(std::filesystem::exists(folder));
  EXPECT_GE(sweep_temp_dirs(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_TRUE(std::filesystem::exists(shared.path()));
}

}  // namespace
}  // namespace lb::test
