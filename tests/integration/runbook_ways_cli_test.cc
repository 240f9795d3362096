// Ways out of a run and into it: ended while a step is at work, a step that calls lifeboat itself,
// a limit that holds for what a command left behind.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class RunbookWays : public testing::Test {
 protected:
  RunbookWays() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    boat.environment()["LEDGER"] = boat / "ledger";
    boat.environment()["BOAT"] = LIFEBOAT_BINARY;
  }
  void plan(const std::string& rest) {
    boat.write_plan(
        "stores:\n  media: {files: ./media, every: hourly}\n"
        "people: {operator: {users: [ada]}}\n" +
        rest);
    boat.environment()["SUDO_USER"] = "ada";
    boat.must({"init"});
    boat.must({"backup"});
  }
  Json shown() { return boat.must({"run", "show", "--json"}).lines().back(); }
  Json step(std::size_t number) { return shown()["steps"].items().at(number - 1); }
  // Of this process alone: what an earlier one left running has another.
  const std::string sleep_ = cat("sleep ", 1'000'000 + ::getpid());
  Lifeboat boat;
};

TEST_F(RunbookWays, AnAbortEndsWhatIsAtWork) {
  plan(cat("runbooks:\n  main: {steps: [{run: \"touch begun; ", sleep_,
           "\", fail: continue}, {run: \"echo more >> $LEDGER\"}]}\n"));
  auto running = boat.start({"run", "main", "--no-wait"});
  while (running->alive() && !fs::exists(boat / "begun"))
    std::this_thread::sleep_for(milliseconds(5));
  auto said = boat.run({"abort", "-m", "it was another system"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  auto ended = running->wait();
  EXPECT_EQ(ended.exit_code, 1) << ended.err;
  EXPECT_EQ(shown()["state"].string(), "aborted");
  EXPECT_NE(step(1)["text"].string().find("stopped: the run was ended"), std::string::npos);
  EXPECT_TRUE(processes_with(sleep_).empty());
  EXPECT_FALSE(fs::exists(boat / "ledger"));
}

TEST_F(RunbookWays, AStepThatCallsLifeboatIsGivenTheKey) {
  plan(R"(runbooks:
  main:
    steps:
      - {run: "$BOAT backup media", fail: continue}
      - {run: "$BOAT backup media", key: true}
)");
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(step(1)["state"].string(), "passed");
  EXPECT_NE(step(1)["text"].string().find("LIFEBOAT_KEY"), std::string::npos) << step(1).dump();
  EXPECT_EQ(step(2)["state"].string(), "done") << step(2).dump();
  EXPECT_EQ(ran.err.find("correct horse"), std::string::npos);
  EXPECT_EQ(shown().dump().find("correct horse"), std::string::npos);
}

// It left its process group, and its limit ends it all the same.
TEST_F(RunbookWays, WhatHangsInASessionOfItsOwnIsEndedAtTheLimit) {
  plan(cat("runbooks:\n  main: {steps: [{run: \"setsid ", sleep_, " & ", sleep_,
           "\", limit: 1s, fail: continue}]}\n"));
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(step(1)["state"].string(), "passed");
  EXPECT_TRUE(processes_with(sleep_).empty());
}

TEST_F(RunbookWays, TheLimitOfAGroupEndsAllThatIsInside) {
  plan(cat(R"(runbooks:
  inner: {steps: [{run: "setsid )",
           sleep_, " & ", sleep_, R"("}, {run: "echo never >> $LEDGER"}]}
  main:
    steps:
      - {use: inner, limit: 1s, fail: continue}
      - parallel: [{run: "echo beside >> $LEDGER"}, {run: ")",
           sleep_, R"("}, {manual: look}]
        limit: 1s
        fail: continue
      - {run: "echo after >> $LEDGER"}
)"));
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(processes_with(sleep_).empty());
  EXPECT_EQ(read_text(boat / "ledger"), "beside\nafter\n");
  const char* states[] = {"passed", "passed", "skipped", "passed",
                          "done",   "passed", "skipped", "done"};
  for (std::size_t n = 1; n <= 8; ++n) EXPECT_EQ(step(n)["state"].string(), states[n - 1]) << n;
  EXPECT_NE(ran.err.find("use inner  until 20"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("did not end within 1.0 s: it was at step 2 (setsid"), std::string::npos)
      << ran.err;
}

// Its time goes on while nobody drives: what was at work is ended, and not begun again.
TEST_F(RunbookWays, TheLimitOfAGroupOutlivesACrash) {
  plan(cat("runbooks:\n  inner: {steps: [{run: \"echo begun >> $LEDGER; ", sleep_,
           "\", probe: \"false\"}]}\n"
           "  main: {steps: [{use: inner, limit: 2s, fail: continue}, {run: \"echo after >> "
           "$LEDGER\"}]}\n"));
  auto running = boat.start({"run", "main", "--no-wait"});
  while (running->alive() && !fs::exists(boat / "ledger"))
    std::this_thread::sleep_for(milliseconds(5));
  running->signal(SIGKILL);
  running->wait();
  Timestamp until{};
  const auto before = shown();
  for (const auto& event : before["events"].items()) {
    auto said = parse_time(event["data"]["until"].string());
    if (said.ok()) until = *said;
  }
  ASSERT_NE(until, Timestamp{}) << before.dump();
  ASSERT_EQ(step(2)["state"].string(), "running");
  while (std::chrono::system_clock::now() < until) std::this_thread::sleep_for(milliseconds(20));
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(read_text(boat / "ledger"), "begun\nafter\n");
  EXPECT_TRUE(processes_with(sleep_).empty());
  EXPECT_EQ(step(1)["state"].string(), "passed");
  EXPECT_NE(step(2)["text"].string().find("had not happened"), std::string::npos);
}

TEST_F(RunbookWays, AVerifyThatPassesInADrillOnlyIsSaid) {
  plan(R"(targets: {sandbox: {isolate: network, start: {api: "sleep 1000"}}}
checks: {web: [{logs: api}]}
runbooks: {main: {steps: [{verify: [web]}]}}
)");
  auto checked = boat.must({"plan", "check"});
  EXPECT_NE(checked.err.find("lifeboat.yaml:9:"), std::string::npos) << checked.err;
  EXPECT_NE(checked.err.find("asks for the log of api, which is known in a drill only"),
            std::string::npos)
      << checked.err;
  auto notes = boat.must({"plan", "check", "--json"}).lines().back()["notes"].items();
  EXPECT_EQ(notes.size(), 1u);
  EXPECT_EQ(boat.run({"runbook", "test", "main"}).exit_code, 4);
}

}  // namespace
}  // namespace lb::test
