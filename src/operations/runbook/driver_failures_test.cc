// What follows when a step fails, is too late, or is ended: the driver's side of fail:, limit: and
// abort.
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using testing::Machine;

class Failing : public testing::RunbookTest {
 protected:
  // Drives on a thread of its own until the run is closed or left.
  std::jthread driving(Driver& run) {
    return std::jthread([this, &run] { go(run); });
  }
  void wait_until(const std::function<bool()>& so) {
    while (!so()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Machine one{&shelf};
};

TEST_F(Failing, ARunIsEndedWhileItsStepIsAtWork) {
  use("runbooks:\n  main:\n    steps: [{run: a, fail: continue}, {run: b}]\n", "main");
  acts.hang = true;
  Machine other(&shelf);
  auto run = driver(one);
  ASSERT_TRUE(run->open({}).ok());
  {
    auto thread = driving(*run);
    wait_until([&] { return acts.count("a") == 1; });
    say(other, "ada", RunInputKind::abort, "it was another system");
  }
  EXPECT_EQ(run->state().closed, RunResult::aborted);
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(run->state().at(1).text, "stopped: the run was ended: stopped");
  EXPECT_EQ(acts.count("b"), 0);
}

TEST_F(Failing, WhatIsTooLateIsStoppedAndHasFailed) {
  use("runbooks:\n  main:\n    steps: [{verify: all, limit: 5m, fail: continue}, {run: b}]\n",
      "main");
  acts.hang = true;
  auto run = driver(one);
  ASSERT_TRUE(run->open({}).ok());
  {
    auto thread = driving(*run);  // its clock goes on by itself while it waits
    wait_until([&] { return acts.count("b") == 1; });
    acts.hang = false;
  }
  EXPECT_EQ(run->state().at(1).status, StepStatus::passed);
  EXPECT_EQ(run->state().at(1).text, "did not end within 5 min 00 s: stopped");
  EXPECT_EQ(run->state().closed, RunResult::done);
}

TEST_F(Failing, AWayBackDoesAllAgainAndNotForEver) {
  use(R"(runbooks:
  main:
    steps:
      - {run: a, name: again}
      - {run: b, fail: {goto: again}}
      - run: c
)",
      "main");
  acts.fails["b"] = 2;
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["a"], 3);
  EXPECT_EQ(acts.done["b"], 3) << "the one that failed is done again, too";
  EXPECT_EQ(run->state().at(2).status, StepStatus::done);
  acts.done.clear();
  acts.fails["b"] = 1000;
  Machine other{nullptr};
  auto endless = start(other);
  EXPECT_EQ(endless->state().at(2).status, StepStatus::failed) << "a person decides";
  EXPECT_EQ(acts.done["b"], 20);
  EXPECT_EQ(acts.done["c"], 0);
}

// Each use of a runbook has its own steps of that name.
TEST_F(Failing, AJumpStaysInItsOwnUseOfARunbook) {
  use(R"(runbooks:
  inner:
    parameters: {what: text}
    steps:
      - {run: try, fail: {goto: end}}
      - run: more
      - {run: tidy, name: end}
  main: {steps: [{use: inner, with: {what: one}}, {use: inner, with: {what: two}}, {run: last}]}
)",
      "main");
  acts.fails["try"] = 2;
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["try"], 2);
  EXPECT_EQ(acts.done["more"], 0);
  EXPECT_EQ(acts.done["tidy"], 2);
  EXPECT_EQ(acts.done["last"], 1);
}

TEST_F(Failing, AJumpIntoAnotherGroupIsNoWayOn) {
  use(R"(runbooks:
  inner: {steps: [{run: a, name: inside}]}
  main: {steps: [{run: b, fail: {goto: inside}}, {use: inner}]}
)",
      "main");
  acts.fails["b"] = 1;
  auto run = start(one);
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(acts.done["a"], 0);
}

TEST_F(Failing, WhatStandsBesideAFailureIsBroughtToItsEnd) {
  use(R"(runbooks:
  inner: {steps: [{run: in}, {run: never}]}
  main:
    steps:
      - {parallel: [{use: inner}, {manual: m}, {run: b}], fail: continue}
      - run: c
)",
      "main");
  acts.fails["in"] = 1;
  auto run = start(one);
  EXPECT_EQ(acts.done["never"], 0);
  EXPECT_EQ(acts.done["b"], 1);
  EXPECT_EQ(acts.done["c"], 0) << "a person is still at work";
  say(one, "ada", RunInputKind::done);
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(run->state().at(1).status, StepStatus::passed);
  EXPECT_EQ(run->state().at(1).text, "all of it has ended, 1 failed");
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Failing, AfterItsTriesTheWordOfTheGroupCounts) {
  use(R"(runbooks:
  inner: {steps: [{run: a, fail: {retry: 1}}, {run: b}]}
  main: {steps: [{use: inner, fail: continue}, {run: c}]}
)",
      "main");
  acts.fails["a"] = 5;
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["a"], 2);
  EXPECT_EQ(acts.done["b"], 0);
  EXPECT_EQ(acts.done["c"], 1);
}

// What a step gives that a drill holds is not known there; in earnest that is a failure.
TEST_F(Failing, AConditionThatCannotBeDecidedIsTriedInADrill) {
  use("runbooks:\n  main:\n    steps: [{run: a, when: $lost > 5}]\n", "main");
  attended = false;
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["a"], 1);
  attended = true;
  state::RecordShelf own;
  Machine here(&own);
  run = start(here);
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(acts.done["a"], 1);
}

// Neither the plan nor one person goes past a no.
TEST_F(Failing, ANoIsNotGonePast) {
  use(R"(runbooks:
  main:
    steps:
      - {gate: {approve: dba}, fail: continue}
      - restore: {store: db, to: production}
      - gate: {approve: dba}
      - run: after
)",
      "main");
  auto run = start(one);
  auto no = [&](std::uint64_t step) {
    say(one, "eve", RunInputKind::deny, "not now",
        Json::object().set("hash", run->state().at(step).asks["hash"]), step);
    go(*run);
  };
  no(1);
  EXPECT_EQ(run->state().at(1).status, StepStatus::passed);
  EXPECT_EQ(run->state().at(2).status, StepStatus::failed);
  EXPECT_EQ(run->state().at(2).text, "the decision of step 1 was: no-go: not now");
  EXPECT_EQ(acts.done["restore db to production"], 0);
  say(one, "ada", RunInputKind::skip, "then not", Json::object(), 2);
  go(*run);
  no(3);
  say(one, "ada", RunInputKind::done, "I say so", Json::object(), 3);
  go(*run);
  EXPECT_NE(last_refusal(one).find("a decision is not done by hand"), std::string::npos);
  EXPECT_EQ(acts.done["after"], 0);
  say(one, "ada", RunInputKind::retry, "", Json::object(), 3);
  go(*run);
  EXPECT_EQ(run->state().at(3).status, StepStatus::asks) << "it is asked once more";
}

TEST_F(Failing, WhatPeopleDoNotDoIsAskedForAsOftenAsThePlanSays) {
  use("runbooks:\n  main:\n    steps: [{manual: m, limit: 10m, fail: {retry: 2}}, {run: a}]\n",
      "main");
  auto run = start(one);
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_EQ(run->state().at(1).status, StepStatus::asks) << tries;
    one.clock.advance(std::chrono::minutes(11));
    go(*run);
  }
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(run->state().at(1).text, "nobody did it within 10 min 00 s");
  EXPECT_EQ(acts.done["a"], 0);
}

}  // namespace
}  // namespace lb::runbook
