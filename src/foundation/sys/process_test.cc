#include "foundation/sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"
#include "foundation/sys/scripted_process.h"
#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

const Environment plain = {{"PATH", "/usr/bin:/bin"}};
constexpr Micros plenty = std::chrono::minutes(10);

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  command.environment = plain;
  return command;
}

std::string kind(const auto& result) {
  return result.ok() ? "ok" : std::string(name_of(result.error().kind()));
}

bool alive(int pid) { return ::kill(pid, 0) == 0; }

// A dead orphan stays a zombie until init finds time for it; it runs no more.
void wait_until_gone(int pid) {
  auto files = real_files();
  for (;;) {
    auto status = read_file(*files, cat("/proc/", pid, "/stat"), 4096);
    if (!status.ok() || text_of(*status).find(") Z ") != std::string_view::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

class ProcessTest : public testing::Test {
 protected:
  Finished run(const Command& command) {
    auto finished = processes_->run(command, plenty, {});
    EXPECT_TRUE(finished.ok()) << finished.error().text();
    return finished.ok() ? finished.value() : Finished{};
  }
  std::string log_text(const std::string& path) {
    auto bytes = read_file(*files_, path, 1 << 20);
    return bytes.ok() ? std::string(text_of(*bytes)) : "";
  }

  std::unique_ptr<Processes> processes_ = real_processes();
  std::unique_ptr<Files> files_ = real_files();
  TestFolder folder_;
};

TEST_F(ProcessTest, GivesOutputErrorsAndExitCode) {
  auto finished = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(finished.output, "out\n");
  EXPECT_EQ(finished.errors, "err\n");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_FALSE(finished.ok());
}

TEST_F(ProcessTest, TellsTheSignalThatEndedIt) {
  auto finished = run(shell("kill -TERM $$"));
  EXPECT_EQ(finished.exit_code, -1);
  EXPECT_EQ(finished.signal, SIGTERM);
}

TEST_F(ProcessTest, ChildSeesExactlyTheEnvironmentGiven) {
  ::setenv("LIFEBOAT_SECRET_OF_THE_PARENT", "1", 1);
  Command command;
  command.argv = {"/usr/bin/env"};
  command.environment = {{"A", "1"}, {"B", "two words"}};
  EXPECT_EQ(run(command).output, "A=1\nB=two words\n");
}

TEST_F(ProcessTest, ChildInheritsNoDescriptorEvenOneLeftOpen) {
  int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a careless library would
  ASSERT_GE(leaked, 3);
  auto finished = run(shell("ls /proc/$$/fd; true"));
  ::close(leaked);
  EXPECT_EQ(finished.output, "0\n1\n2\n");
}

TEST_F(ProcessTest, InputArrivesWholeEvenWhenLargerThanAPipe) {
  Command command = shell("wc -c");
  command.input = std::string(300000, 'x');
  EXPECT_EQ(trim(run(command).output), "300000");
  EXPECT_EQ(run(shell("cat")).output, "");
}

TEST_F(ProcessTest, InputNobodyReadsDoesNoHarm) {
  Command command = shell("exit 0");
  command.input = std::string(1 << 20, 'x');
  EXPECT_TRUE(run(command).ok());
}

TEST_F(ProcessTest, KeepsOnlySoMuchOutputButReadsAll) {
  Command command = shell("head -c 1000000 /dev/zero | tr '\\0' a; echo done >&2");
  command.output_max = 1000;
  auto finished = run(command);
  EXPECT_EQ(finished.output, std::string(1000, 'a'));
  EXPECT_EQ(finished.errors, "done\n");
}

TEST_F(ProcessTest, KeepsTheEndOfALongStream) {
  Command command = shell("seq 1 200000; echo last");
  command.output_max = 1000;
  command.keep_end = true;
  auto finished = run(command);
  EXPECT_EQ(finished.output.size(), 1000u);
  EXPECT_TRUE(finished.output.ends_with("200000\nlast\n"));
}

TEST_F(ProcessTest, WhatWasWrittenBeforeTheLimitIsKept) {
  Finished unfinished;
  Command command = shell("echo so far; sleep 1000");
  command.unfinished = &unfinished;
  auto finished = processes_->run(command, Micros(300000), {});
  EXPECT_EQ(kind(finished), "timeout");
  EXPECT_EQ(unfinished.output, "so far\n");
}

TEST_F(ProcessTest, LimitKillsTheWholeGroup) {
  auto path = folder_ / "pid";
  auto script = cat("sleep 1000 & echo $! > ", path, "; wait");
  auto finished = processes_->run(shell(script), Micros(300000), {});
  EXPECT_EQ(kind(finished), "timeout");
  auto written = parse_int(trim(log_text(path)));
  ASSERT_TRUE(written.ok());
  wait_until_gone(static_cast<int>(*written));
}

TEST_F(ProcessTest, GrandchildHoldingTheOutputDoesNotHoldUs) {
  auto finished = run(shell("sleep 1000 & echo $!"));
  EXPECT_TRUE(finished.ok());
  wait_until_gone(static_cast<int>(parse_int(trim(finished.output)).value()));
}

TEST_F(ProcessTest, StopEndsIt) {
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_EQ(kind(processes_->run(shell("sleep 1000"), plenty, source.get_token())), "cancelled");
}

TEST_F(ProcessTest, SaysWhatCouldNotBeStarted) {
  Command command;
  command.environment = plain;
  EXPECT_EQ(kind(processes_->run(command, plenty, {})), "invalid");
  command.argv = {"no-such-program"};
  auto missing = processes_->run(command, plenty, {});
  EXPECT_EQ(kind(missing), "not found");
  EXPECT_NE(missing.error().text().find("no-such-program"), std::string::npos);
  command.argv = {"/etc/passwd"};
  EXPECT_EQ(kind(processes_->run(command, plenty, {})), "denied");
  command.argv = {"sh", std::string("a\0b", 3)};
  EXPECT_EQ(kind(processes_->run(command, plenty, {})), "invalid");
  command.argv = {"sh"};
  command.directory = folder_ / "none";
  EXPECT_EQ(kind(processes_->start(command)), "not found");
  command.directory.clear();
  command.environment = {};
  EXPECT_EQ(kind(processes_->start(command)), "not found");
  command.environment = {{"A=B", "1"}};
  EXPECT_EQ(kind(processes_->start(command)), "invalid");
}

TEST_F(ProcessTest, RunsInItsFolder) {
  Command command = shell("pwd");
  command.directory = folder_.path();
  EXPECT_EQ(run(command).output, folder_.path() + "\n");
}

TEST_F(ProcessTest, BecomesAnotherUserWithoutGroups) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can change the user";
  Command command = shell("id -u; id -g; id -G; grep CapEff /proc/self/status");
  command.user = UserId{65534, 65534};
  EXPECT_EQ(run(command).output, "65534\n65534\n65534\nCapEff:\t0000000000000000\n");
}

TEST_F(ProcessTest, StartedChildLogsAndCanBeWatched) {
  Command command = shell("echo one; echo two >&2; exec sleep 1000");
  command.log_path = folder_ / "log";
  auto child = processes_->start(command).take();
  while (log_text(command.log_path) != "one\ntwo\n") std::this_thread::yield();
  EXPECT_EQ(files_->info(command.log_path).value().mode, 0600u);
  EXPECT_FALSE(child->poll().value().has_value());
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(kind(child->wait(stopped.get_token())), "cancelled");
  ASSERT_TRUE(child->signal(SIGTERM).ok());
  EXPECT_EQ(child->wait({}).value().signal, SIGTERM);
  EXPECT_EQ(child->poll().value()->signal, SIGTERM);
  EXPECT_EQ(kind(child->signal(SIGTERM)), "not found");
}

TEST_F(ProcessTest, DestroyedChildIsKilledAndReaped) {
  auto child = processes_->start(shell("trap '' TERM; sleep 1000")).take();
  int pid = child->pid();
  EXPECT_TRUE(alive(pid));
  child.reset();
  EXPECT_FALSE(alive(pid));
}

TEST_F(ProcessTest, ChildOutlivesTheThreadAndTheFactoryThatStartedIt) {
  std::unique_ptr<Child> child;
  std::jthread([&] { child = processes_->start(shell("sleep 0.3; exit 5")).take(); }).join();
  processes_.reset();
  EXPECT_EQ(child->wait({}).value().exit_code, 5);
}

TEST_F(ProcessTest, DiesWithAKilledParent) {
  if (!forked_child_may_have_threads) GTEST_SKIP() << "the thread sanitizer forbids it";
  auto path = folder_ / "pid";
  pid_t parent = ::fork();
  if (parent == 0) {
    auto child = real_processes()->start(
        shell(cat("echo $$ > ", path, ".new; mv ", path, ".new ", path, "; exec sleep 1000")));
    for (;;) ::pause();
  }
  while (log_text(path).empty()) ASSERT_EQ(::waitpid(parent, nullptr, WNOHANG), 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  wait_until_gone(static_cast<int>(parse_int(trim(log_text(path))).value()));
}

TEST_F(ProcessTest, ManyThreadsMayStartAtOnce) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto finished = processes_->run(shell(cat("echo ", i)), plenty, {});
      if (finished.ok() && finished->output == cat(i, "\n")) ++good;
    });
  }
  threads.clear();
  EXPECT_EQ(good, 8);
}

TEST(ScriptedProcesses, AnswersAndRemembers) {
  ScriptedProcesses processes([](const Command& command) -> Result<std::optional<Finished>> {
    if (command.argv[0] == "missing") return Error(ErrorKind::not_found, "missing");
    if (command.argv[0] == "hang") return std::optional<Finished>();
    return std::optional(Finished{.exit_code = 0, .signal = 0, .output = "hi", .errors = {}});
  });
  Command command;
  command.argv = {"say"};
  EXPECT_EQ(processes.run(command, plenty, {}).value().output, "hi");
  command.argv = {"missing"};
  EXPECT_EQ(kind(processes.start(command)), "not found");
  command.argv = {"hang"};
  EXPECT_EQ(kind(processes.run(command, plenty, {})), "timeout");
  auto child = processes.start(command).take();
  EXPECT_FALSE(child->poll().value().has_value());
  ASSERT_TRUE(child->signal(SIGINT).ok());
  EXPECT_EQ(child->wait({}).value().signal, SIGINT);
  EXPECT_EQ(processes.commands().size(), 4u);
}

}  // namespace
}  // namespace lb
