// Runbooks carried out by the real program: it is killed at any moment, goes on here and elsewhere,
// and nothing is done twice or left out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "foundation/base/text.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Those that are whole.
std::vector<std::string> lines_of(const std::string& path) {
  if (!fs::exists(path)) return {};
  auto out = split(read_text(path), '\n');
  out.pop_back();
  return out;
}

class RunbookCli : public testing::Test {
 protected:
  RunbookCli() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    write_text(boat / "media/b.txt", "two");
    boat.environment()["LEDGER"] = boat / "ledger";
  }
  void plan(const std::string& runbooks) {
    boat.write_plan(
        "stores:\n  media: {files: ./media, every: hourly, objective: {rpo: 1h}}\n"
        "targets:\n  production: {protect: true}\n"
        "people:\n"
        "  operator: {users: [ada]}\n"
        "  lead: {users: [boss]}\n"
        "runbooks:\n" +
        runbooks);
    boat.must({"init"});
    boat.must({"backup"});
  }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  // Another machine: the same repository and plan, nothing else.
  void elsewhere(int machine) {
    boat.environment()["LIFEBOAT_STATE"] = boat / ("machine-" + std::to_string(machine));
  }
  Json shown() {
    auto ran = boat.run({"run", "show", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? ran.lines().back() : Json();
  }
  std::string state_of(int step) {
    return shown()["steps"].items().at(static_cast<std::size_t>(step - 1))["state"].string();
  }
  // A run that this machine knows of.
  bool is_open() {
    auto runs = boat.must({"run", "ls", "--json"}).lines().back()["runs"].items();
    return !runs.empty() && runs.back()["state"].string() == "open";
  }
  std::size_t done_runs() {
    auto runs = boat.must({"run", "ls", "--json"}).lines().back()["runs"].items();
    return static_cast<std::size_t>(std::count_if(
        runs.begin(), runs.end(), [](const auto& run) { return run["state"].string() == "done"; }));
  }
  int drive_with_kills(std::mt19937& chance);
  // What can be said only while somebody drives is said, and taken up by the next who does.
  void say(const std::vector<std::string>& words) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    boat.run({"resume", "--no-wait"});
  }

  Lifeboat boat;
};

// What would be left out, or done in another way than the step says, is said before anything is
// touched: data that was to be masked must not arrive as it is, nor a tree be merged into another.
TEST_F(RunbookCli, ARestoreThatWouldLeaveSomethingOutIsRefused) {
  for (const auto& [target, how] : std::vector<std::pair<std::string, std::string>>{
           {"stores: {media: ./west}, mask: addresses", ""},
           {"stores: {media: ./west}, migrate: \"true\"", ""},
           {"stores: {media: ./west}, wipe: true", ""},
           {"stores: {media: ./west}", ", how: beside-then-swap, only: [a.txt]"},
           {"stores: {media: ./west}", ", how: instant"}}) {
    SCOPED_TRACE(target + how);
    Lifeboat other(LIFEBOAT_BINARY);
    write_text(other / "media/a.txt", "one");
    write_text(other / "west/a.txt", "what is live");
    other.environment()["SUDO_USER"] = "ada";
    other.write_plan(
        "stores:\n  media: {files: ./media, every: hourly}\n"
        "targets:\n  west: {" +
        target +
        "}\n"
        "masks:\n  addresses: {media.email: redact}\n"
        "people: {operator: {users: [ada]}}\n"
        "runbooks:\n  main:\n    steps:\n      - restore: {store: media, to: west" +
        how + "}\n");
    other.must({"init"});
    other.must({"backup"});
    auto walked = other.run({"runbook", "test", "main"});
    EXPECT_EQ(walked.exit_code, 4) << walked.err;
    EXPECT_NE((walked.out + walked.err).find("not supported yet"), std::string::npos) << walked.out;
    auto ran = other.run({"run", "main", "--no-wait"});
    EXPECT_EQ(ran.exit_code, 75) << ran.err;
    EXPECT_NE(ran.err.find("not supported yet"), std::string::npos) << ran.err;
    EXPECT_EQ(read_text(other / "west/a.txt"), "what is live");
    EXPECT_EQ(files_below(other / "west").size(), 1u);
  }
}

// Each command leaves a line; its probe looks for it.
constexpr const char* ledger_steps = R"(  main:
    steps:
      - {run: "sleep 0.15; echo one >> $LEDGER; sleep 0.1", probe: "grep -qx one $LEDGER"}
      - banner: half of it
      - restore: {store: media, to: production}
      - {run: "sleep 0.1; echo two >> $LEDGER; sleep 0.15", probe: "grep -qx two $LEDGER"}
      - wait: {for: 900ms}
      - wait: {run: "test -e $LEDGER"}
      - parallel:
          - {run: "sleep 0.2; echo three >> $LEDGER", probe: "grep -qx three $LEDGER"}
          - {run: "echo four >> $LEDGER; sleep 0.2", probe: "grep -qx four $LEDGER"}
      - {run: "echo five >> $LEDGER", probe: "grep -qx five $LEDGER"}
)";

// One run to its end, killed on the way; how often a kill found it at work. The moments grow, so
// that a slow machine comes to the end as well.
int RunbookCli::drive_with_kills(std::mt19937& chance) {
  int kills = 0, at = 0;
  const auto before = done_runs();
  for (int turn = 0; turn < 200; ++turn) {
    const bool here = is_open();
    elsewhere(turn % 3);
    const bool open = is_open();
    if (here && !open) elsewhere(at);  // killed before others could know of it
    at = here && !open ? at : turn % 3;
    auto next = boat.start(here || open ? std::vector<std::string>{"resume", "--no-wait"}
                                        : std::vector<std::string>{"run", "main", "--no-wait"});
    std::this_thread::sleep_for(milliseconds(30 + turn * 10 + static_cast<int>(chance() % 400)));
    if (next->alive()) ++kills;
    next->signal(SIGKILL);
    // Killed when all was done, before it could say so: the next would be another run.
    if (next->wait().exit_code == 0 || done_runs() > before) return kills;
    // The name of the target is asked before the live folder is written to.
    if (is_open() && state_of(3) == "asks") {
      auto said = boat.run({"step", "confirm", "production"});
      EXPECT_EQ(said.exit_code, 0) << said.err;
    }
  }
  ADD_FAILURE() << "it did not come to its end";
  return kills;
}

TEST_F(RunbookCli, KilledAnywhereItGoesOnHereAndElsewhere) {
  plan(ledger_steps);
  std::mt19937 chance(4711);
  elsewhere(0);
  as("root");
  int kills = 0;
  for (int round = 0; round < 20 && kills < 5; ++round) {
    fs::remove(boat / "ledger");
    kills += drive_with_kills(chance);
    ASSERT_FALSE(HasFailure());
    EXPECT_EQ(shown()["state"].string(), "done");
    auto lines = lines_of(boat / "ledger");
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ(lines, (std::vector<std::string>{"five", "four", "one", "three", "two"}));
  }
  EXPECT_GE(kills, 5);
}

// "latest" is what it was when the restore began: a backup of what is broken may come meanwhile.
TEST_F(RunbookCli, ARestoreGoneOnWithKeepsThePointThatItBeganWith) {
  for (int n = 0; n < 3000; ++n)
    write_text(boat / ("media/many/" + std::to_string(n)), "good " + std::to_string(n));
  boat.write_plan(
      "stores:\n  media: {files: ./media, every: hourly}\n"
      "targets:\n  west: {stores: {media: ./west}}\n"
      "people:\n  operator: {users: [ada]}\n"
      "runbooks:\n  main:\n    steps:\n      - restore: {store: media, to: west, at: latest}\n");
  as("ada");
  boat.must({"init"});
  boat.must({"backup"});
  bool interrupted = false;
  for (int turn = 0; turn < 30 && !interrupted; ++turn) {
    fs::remove_all(boat / "west");
    fs::create_directories(boat / "west");
    auto running = boat.start({"run", "main", "--no-wait"});
    while (running->alive() && running->err_so_far().find("▶ 1/") == std::string::npos)
      std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(5 * turn));
    running->signal(SIGKILL);
    running->wait();
    interrupted = is_open() && state_of(1) == "running";
    if (is_open() && !interrupted) boat.run({"abort", "-m", "killed too early"});
  }
  ASSERT_TRUE(interrupted);
  write_text(boat / "media/many/0", "broken");
  boat.must({"backup"});
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(read_text(boat / "west/many/0"), "good 0");
  EXPECT_EQ(files_below(boat / "west").size(), 3002u);
}

// A command that does not end, with a number of this process alone: tests that run meanwhile, and
// what an earlier one left running, have others.
std::string endless(int of) { return cat("sleep ", of * 10'000'000 + ::getpid()); }

TEST_F(RunbookCli, WithoutAProbeAPersonSaysWhetherItHappened) {
  const auto works = endless(1);
  plan(cat("  main: {steps: [{run: \"echo once >> $LEDGER; ", works,
           "\"}, {run: \"echo after >> $LEDGER\"}]}\n"));
  auto running = boat.start({"run", "main", "--no-wait"});
  while (lines_of(boat / "ledger").empty()) std::this_thread::sleep_for(milliseconds(20));
  running->signal(SIGKILL);
  running->wait();
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(resumed.exit_code, 75);
  EXPECT_NE(resumed.err.find("whether it happened is not known"), std::string::npos) << resumed.err;
  EXPECT_TRUE(processes_with(works).empty()) << "what it left running was ended";
  EXPECT_EQ(state_of(1), "asks");
  say({"step", "done", "-m", "the line is there"});
  EXPECT_EQ(shown()["state"].string(), "done");
  EXPECT_EQ(lines_of(boat / "ledger"), (std::vector<std::string>{"once", "after"}));
}

TEST_F(RunbookCli, ApprovalIsASecondPersonsAndTheTargetIsTyped) {
  plan(R"(  main:
    steps:
      - gate: {approve: lead, show: [point, target]}
      - restore: {store: media, to: production, mode: merge}
)");
  fs::remove(boat / "media/a.txt");
  as("boss");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  auto driving = boat.start({"resume"});
  while (driving->alive() && driving->err_so_far().find("? 1/") == std::string::npos)
    std::this_thread::sleep_for(milliseconds(20));
  auto own = boat.run({"approve"});
  EXPECT_EQ(own.exit_code, 5) << own.err;
  EXPECT_NE(own.err.find("does not approve what it destroys"), std::string::npos) << own.err;
  as("ada");
  auto other = boat.run({"approve"});
  EXPECT_NE(other.err.find("the decision is with lead"), std::string::npos) << other.err;
  EXPECT_EQ(other.exit_code, 5);
  driving->signal(SIGTERM);
  driving->wait();
  EXPECT_EQ(state_of(1), "asks");
  EXPECT_FALSE(fs::exists(boat / "media/a.txt"));
  as("ada");
  boat.run({"abort", "-m", "asked for by the wrong one"});
  boat.run({"resume", "--no-wait"});
  EXPECT_EQ(shown()["state"].string(), "aborted");

  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  as("boss");
  say({"approve"});
  as("ada");
  EXPECT_EQ(state_of(1), "done");
  EXPECT_EQ(state_of(2), "asks");
  say({"step", "confirm", "prod"});
  EXPECT_FALSE(fs::exists(boat / "media/a.txt"));
  say({"step", "confirm", "production"});
  EXPECT_EQ(shown()["state"].string(), "done");
  EXPECT_EQ(read_text(boat / "media/a.txt"), "one");
}

TEST_F(RunbookCli, ARunKeepsThePlanItBeganWith) {
  plan("  main: {steps: [{manual: look}, {run: \"echo old >> $LEDGER\"}]}\n");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  boat.write_plan(
      "stores:\n  media: {files: ./media, every: hourly, objective: {rpo: 1h}}\n"
      "runbooks:\n  main: {steps: [{run: \"echo new >> $LEDGER\"}]}\n");
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_NE(resumed.err.find("the run keeps its own version"), std::string::npos) << resumed.err;
  say({"step", "done"});
  EXPECT_EQ(shown()["state"].string(), "done");
  EXPECT_EQ(lines_of(boat / "ledger"), std::vector<std::string>{"old"});
}

TEST_F(RunbookCli, TwoWhoDriveOneRunDoNothingTwice) {
  plan(
      "  main: {steps: [{run: \"touch begun; until test -e seen; do sleep 0.05; done; echo one >> "
      "$LEDGER\"}, {run: \"echo two >> $LEDGER\"}]}\n");
  elsewhere(0);
  auto first = boat.start({"run", "main", "--no-wait"});
  while (first->alive() && !fs::exists(boat / "begun"))
    std::this_thread::sleep_for(milliseconds(20));
  elsewhere(1);
  auto second = boat.run({"resume", "--no-wait"});
  write_text(boat / "seen", "");
  auto ended = first->wait();
  // One of them found the other; the step has no probe, so the second asks whether it happened
  // instead of doing it.
  EXPECT_TRUE(ended.exit_code == 11 || second.exit_code == 11 || second.exit_code == 75)
      << ended.err << second.err;
  const bool happened = !lines_of(boat / "ledger").empty();
  if (second.exit_code == 75) {
    boat.must(happened ? std::vector<std::string>{"step", "done", "1", "-m", "it happened"}
                       : std::vector<std::string>{"step", "retry"});
    EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 0);
  }
  EXPECT_EQ(lines_of(boat / "ledger"), (std::vector<std::string>{"one", "two"}));
}

TEST_F(RunbookCli, WhatItPrintsHoldsNoSecretAndItsLimitHolds) {
  boat.environment()["APP_TOKEN"] = "tok-471147114711";
  const auto works = endless(2);
  plan(cat(R"(  main:
    steps:
      - {run: "echo token $APP_TOKEN", fail: continue}
      - {run: "echo so far; )",
           works, R"(", limit: 1s, fail: continue}
      - {run: "yes | head -c 100000000"}
)"));
  auto ran = boat.run({"run", "main", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.err.find("tok-4711"), std::string::npos);
  auto events = shown().dump();
  EXPECT_EQ(events.find("tok-4711"), std::string::npos);
  EXPECT_NE(events.find("[secret]"), std::string::npos);
  EXPECT_NE(events.find("so far"), std::string::npos);
  EXPECT_LT(events.size(), 200'000u);
  EXPECT_EQ(state_of(2), "passed");
  EXPECT_TRUE(processes_with(works).empty());
}

TEST_F(RunbookCli, APostMortemIsThereWhenTheRunEnds) {
  plan("  main: {steps: [{run: \"exit 3\", fail: continue}, {postmortem: post-mortem}]}\n");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 0);
  auto out = boat.must({"postmortem"}).out;
  EXPECT_NE(out.find("step 1 (exit 3) failed: exit code 3"), std::string::npos) << out;
  EXPECT_NE(out.find("# Post-mortem: main of test"), std::string::npos);
  EXPECT_EQ(out.find("root"), std::string::npos) << "roles, not names";
}

TEST_F(RunbookCli, ATabletopFindsWhatCannotWork) {
  plan(R"(  good: {steps: [{manual: look}, {run: "true", probe: "true"}]}
  bad:
    steps:
      - run: no-such-program --now
      - restore: {store: media, to: production, at: $nothing}
)");
  EXPECT_EQ(boat.run({"runbook", "test", "good"}).exit_code, 0);
  auto bad = boat.run({"runbook", "test", "bad"});
  EXPECT_EQ(bad.exit_code, 4);
  EXPECT_NE(bad.out.find("no-such-program: not found in PATH"), std::string::npos) << bad.out;
  EXPECT_NE(bad.out.find("$nothing has no value by then"), std::string::npos) << bad.out;
  EXPECT_EQ(boat.run({"runbook", "test", "goood"}).exit_code, 2);
  auto run = boat.run({"run", "bad", "--no-wait"});
  EXPECT_NE(run.err.find("step 1 cannot work: no-such-program: not found in PATH"),
            std::string::npos)
      << run.err;
}

// The decider has no account here: the link that was sent to them is what proves who they are.
TEST_F(RunbookCli, MessagesReachPeopleAndALinkDecidesOnce) {
  boat.write_plan(R"(stores:
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
targets:
  production: {protect: true}
channels: {paper: {command: "cat >> sent.txt"}}
people:
  chief: {via: [paper]}
  customers: {via: [paper]}
templates:
  sorry: {subject: "About {impact}", body: "Since {since}."}
runbooks:
  main:
    steps:
      - ask: {failed_at: time, impact: text}
      - notify: {template: sorry, to: customers}
      - gate: {approve: chief, show: [point, target]}
      - restore: {store: media, to: production}
)");
  boat.must({"init"});
  boat.must({"backup"});
  as("ada");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  say({"answer", "failed_at=2026-01-13T02:14:05Z", "impact=lost uploads"});
  auto sent = read_text(boat / "sent.txt");
  EXPECT_NE(sent.find("About lost uploads"), std::string::npos) << sent;
  EXPECT_NE(sent.find("Since 2026-01-13T02:14:05Z."), std::string::npos) << sent;
  const std::string word = "lifeboat approve ";
  auto at = sent.find(word + "lifeboat:");
  ASSERT_NE(at, std::string::npos) << sent;
  auto link = sent.substr(at + word.size(), sent.find('\n', at) - at - word.size());
  auto token = link.substr(link.rfind('/') + 1);
  EXPECT_EQ(shown().dump().find(token), std::string::npos) << "it stands in no record";
  EXPECT_EQ(boat.run({"approve", link.substr(0, link.size() - 1) + "x"}).exit_code, 0);
  as("ada");
  say({"approve", link});
  EXPECT_EQ(state_of(3), "asks") << "neither a wrong link nor the requester decides";
  as("somebody");
  say({"approve", link});
  EXPECT_EQ(state_of(3), "done");
  EXPECT_EQ(state_of(4), "asks");
  say({"approve", link});
  EXPECT_EQ(state_of(3), "done") << "a link counts once";
  say({"step", "confirm", "production"});
  EXPECT_EQ(shown()["state"].string(), "done");
  sent = read_text(boat / "sent.txt");
  EXPECT_EQ(sent.find("About lost uploads"), sent.rfind("About lost uploads")) << "told once";
}

// All processes gone while a wait runs down, a clock was started and a gate is open: each counts
// from when it began, whoever looks again and when.
TEST_F(RunbookCli, ARebootForgetsNeitherClocksNorGates) {
  plan(R"(  main:
    steps:
      - timer: start
      - wait: {for: 3s}
      - gate: {approve: lead}
      - {run: "echo after >> $LEDGER", probe: "grep -qx after $LEDGER"}
)");
  elsewhere(0);
  as("ada");
  auto first = boat.start({"run", "main", "--no-wait"});
  while (first->alive() && first->err_so_far().find("▶ 2/") == std::string::npos)
    std::this_thread::sleep_for(milliseconds(5));
  first->signal(SIGKILL);
  first->wait();
  auto until_of = [&] {
    std::vector<std::string> out;
    const auto run = shown();
    for (const auto& event : run["events"].items()) {
      if (event["data"]["until"].is_string()) out.push_back(event["data"]["until"].string());
    }
    return out;
  };
  const auto until = until_of();
  ASSERT_EQ(until.size(), 1u) << shown().dump();
  elsewhere(1);  // booted as another machine
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75);
  EXPECT_EQ(until_of(), until) << "the wait did not begin anew";
  EXPECT_EQ(state_of(2), "done");
  EXPECT_EQ(state_of(3), "asks");
  elsewhere(2);
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75) << "the gate still waits";
  EXPECT_FALSE(fs::exists(boat / "ledger"));
  as("boss");
  EXPECT_EQ(boat.run({"approve"}).exit_code, 0);
  as("ada");
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 0);
  EXPECT_EQ(lines_of(boat / "ledger"), std::vector<std::string>{"after"});
  std::size_t starts = 0;
  const auto done = shown();
  for (const auto& event : done["events"].items()) {
    if (event["text"].string().starts_with("the clock starts at")) ++starts;
  }
  EXPECT_EQ(starts, 1u);
}

// Whoever looks how far a killed undo got must not see it work on.
TEST_F(RunbookCli, AKilledUndoIsEndedAndNotRepeatedUnasked) {
  const auto works = endless(3);
  plan(cat(R"(  main:
    steps:
      - run: "echo made >> $LEDGER"
        undo: "echo taking >> $LEDGER; test -e quick || )",
           works, R"(; echo taken >> $LEDGER"
        probe: "grep -qx made $LEDGER"
      - manual: look
)"));
  as("ada");
  EXPECT_EQ(boat.run({"run", "main", "--no-wait"}).exit_code, 75);
  EXPECT_EQ(boat.run({"step", "undo", "1", "-m", "not wanted"}).exit_code, 0);
  auto driving = boat.start({"resume", "--no-wait"});
  // Not the shell, which has the words in quotes: what it started and leaves behind.
  auto at_work = [&] {
    return processes_with(cat("quick || ", works)).size() < processes_with(works).size();
  };
  while (driving->alive() && !at_work()) std::this_thread::sleep_for(milliseconds(5));
  driving->signal(SIGKILL);
  driving->wait();
  ASSERT_FALSE(processes_with(works).empty()) << "the kill came while it was taken back";
  auto resumed = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(resumed.exit_code, 75) << resumed.err;
  EXPECT_TRUE(processes_with(works).empty()) << "what it left running was ended";
  EXPECT_NE(shown()["events"].dump().find("interrupted while it was taken back"), std::string::npos)
      << shown().dump();
  EXPECT_EQ(state_of(1), "done");
  EXPECT_EQ(lines_of(boat / "ledger"), (std::vector<std::string>{"made", "taking"}));
  write_text(boat / "quick", "");
  say({"step", "undo", "1", "-m", "it had not got far"});
  EXPECT_EQ(state_of(1), "undone");
  EXPECT_EQ(lines_of(boat / "ledger"),
            (std::vector<std::string>{"made", "taking", "taking", "taken"}));
}

}  // namespace
}  // namespace lb::test
