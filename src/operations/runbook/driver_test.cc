#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using Driving = testing::RunbookTest;
using testing::Machine;

TEST_F(Driving, GoesThroughAllStepsInOrder) {
  use(R"(runbooks:
  sub:
    parameters: {what: text}
    steps: [{run: "restart $what"}]
  main:
    steps:
      - phase: stop
      - run: stop api
      - {use: sub, with: {what: api}}
      - banner: all is well
)",
      "main");
  ASSERT_EQ(script.steps.size(), 4u);
  EXPECT_EQ(script.at(3).runbook, "sub");
  EXPECT_EQ(script.at(3).parent, 2u);
  EXPECT_EQ(script.at(1).phase, "stop");
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["stop api"], 1);
  EXPECT_EQ(acts.done["restart $what"], 1);
  EXPECT_EQ(one.log.runs(false).value().at(0).closed, true);
}

TEST_F(Driving, AnswersBecomeVariablesAndConditions) {
  use(R"(runbooks:
  main:
    steps:
      - ask: {failed_at: time, bucket: boolean}
      - {run: restore bucket, when: $bucket}
      - {run: other bucket, when: not $bucket}
      - {run: page, when: the customer is awake}
)",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(run->state().at(1).need, Need::answers);
  auto values = Json::object().set("failed_at", "yesterday").set("bucket", "true");
  say(one, "ada", RunInputKind::answer, "", Json::object().set("values", values));
  go(*run);
  EXPECT_NE(last_refusal(one).find("failed_at"), std::string::npos);
  values.set("failed_at", "2026-01-13T02:14:05Z");
  say(one, "ada", RunInputKind::answer, "", Json::object().set("values", values));
  go(*run);
  EXPECT_EQ(run->state().variables.at("failed_at"), "2026-01-13T02:14:05Z");
  EXPECT_EQ(acts.done["restore bucket"], 1);
  EXPECT_EQ(run->state().at(3).status, StepStatus::skipped);
  EXPECT_EQ(run->state().at(4).need, Need::condition);
  say(one, "ada", RunInputKind::answer, "", Json::object().set("holds", false));
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["page"], 0);
}

TEST_F(Driving, AFailureStopsUntilAPersonSaysHowToGoOn) {
  use("runbooks:\n  main:\n    steps: [{run: a}, {run: b, undo: unb}, {run: c}]\n", "main");
  acts.fails["b"] = 2;
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(run->state().at(2).status, StepStatus::failed);
  EXPECT_EQ(acts.done["c"], 0);
  say(one, "ada", RunInputKind::retry);
  go(*run);
  EXPECT_EQ(run->state().at(2).status, StepStatus::failed);
  say(one, "ada", RunInputKind::skip);
  go(*run);
  EXPECT_NE(last_refusal(one).find("needs a reason"), std::string::npos);
  say(one, "ada", RunInputKind::undo);
  say(one, "ada", RunInputKind::undo, "", Json::object(), 2);
  go(*run);
  EXPECT_EQ(acts.undone["b"], 1);
  EXPECT_EQ(run->state().at(2).status, StepStatus::failed) << "what to do instead is still open";
  say(one, "ada", RunInputKind::skip, "b is not needed");
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["b"], 2);
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Driving, RetriesContinuesAndJumps) {
  use(R"(runbooks:
  main:
    steps:
      - {run: a, fail: {retry: 2, wait: 10s}}
      - {run: b, fail: continue}
      - {run: c, fail: {goto: back}}
      - run: d
      - {run: e, name: back}
)",
      "main");
  acts.fails = {{"a", 2}, {"b", 1}, {"c", 1}};
  Machine one(&shelf);
  auto begun = one.clock.now();
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["a"], 3);
  EXPECT_GE(one.clock.now() - begun, std::chrono::seconds(20));
  EXPECT_EQ(run->state().at(2).status, StepStatus::passed);
  EXPECT_EQ(acts.done["d"], 0);
  EXPECT_EQ(run->state().at(4).status, StepStatus::skipped);
  EXPECT_EQ(acts.done["e"], 1);
}

TEST_F(Driving, AFailureInAUsedRunbookFollowsTheWordOfWhoUsesIt) {
  use(R"(runbooks:
  sub: {steps: [{run: a}, {run: b}]}
  main: {steps: [{use: sub, fail: continue}, {run: c}]}
)",
      "main");
  acts.fails["a"] = 1;
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["b"], 0);
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Driving, StepsSideBySideAreAllDone) {
  use("runbooks:\n  main:\n    steps: [{parallel: [{run: a}, {manual: m}, {run: b}]}, {run: c}]\n",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(acts.done["a"] + acts.done["b"], 2) << "a person's step holds up nothing beside it";
  EXPECT_EQ(acts.done["c"], 0);
  say(one, "ada", RunInputKind::done);
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["c"], 1);
}

// The program dies between the intent and the outcome; the next one, elsewhere, has the repository.
class Crashed : public testing::RunbookTest {
 protected:
  void crash() {
    use("runbooks:\n  main:\n    steps: [{run: a, probe: p}, {run: b}]\n", "main");
    acts.hang = true;
    std::stop_source stop;
    auto run = driver(first);
    ASSERT_TRUE(run->open({}).ok());
    std::jthread killer([&] {
      while (true) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        auto events = other.log.events("r1");
        if (events.ok() && events->size() >= 2) break;
      }
      stop.request_stop();
    });
    (void)run->drive(stop.get_token()).ok();
    killer.join();
    acts.hang = false;
    EXPECT_EQ(acts.done["a"], 1);
  }
  Machine first{&shelf}, other{&shelf}, second{&shelf};
};

TEST_F(Crashed, WhatHappenedIsNotDoneAgain) {
  crash();
  acts.happened_["a"] = true;
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.done["b"], 1);
}

TEST_F(Crashed, WhatDidNotHappenIsDone) {
  crash();
  acts.happened_["a"] = false;
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 2);
  EXPECT_EQ(next->state().at(1).attempt, 2u);
}

TEST_F(Crashed, WhatNobodyCanTellIsAsked) {
  crash();
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  EXPECT_EQ(go(*next), Driver::End::waits_for_people);
  EXPECT_EQ(next->state().at(1).need, Need::outcome);
  EXPECT_FALSE(next->state().at(1).asks["began"].string().empty());
  EXPECT_EQ(acts.done["a"], 1);
  say(second, "ada", RunInputKind::done, "I saw it run");
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.done["b"], 1);
}

TEST_F(Crashed, WhatMayBeRepeatedIsRepeated) {
  crash();
  acts.safe = true;
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 2);
  EXPECT_EQ(acts.probed["a"], 0);
}

// A backup taken meanwhile, of what is broken perhaps, must not become what "latest" means.
class CrashedPinned : public Crashed, public ::testing::WithParamInterface<bool> {};

TEST_P(CrashedPinned, WhatWasChosenWhenItBeganStaysSo) {
  acts.pins = {{"db", "point early"}};
  crash();
  acts.pins = {{"db", "point late"}};
  acts.safe = GetParam();
  acts.happened_["a"] = false;
  acts.pinned.clear();
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  EXPECT_EQ(go(*next), Driver::End::closed);
  ASSERT_EQ(acts.pinned.size(), 2u);
  EXPECT_EQ(acts.pinned[0]["db"], "point early") << "gone on with";
  EXPECT_EQ(acts.pinned[1]["db"], "point late") << "another step, which began later";
}

INSTANTIATE_TEST_SUITE_P(RepeatsSafely, CrashedPinned, ::testing::Bool());

TEST_F(Crashed, TheFirstProgramMustNotGoOnOnceAnotherDid) {
  crash();
  auto old = driver(first);
  ASSERT_TRUE(old->take_up().ok());
  auto next = driver(second);
  ASSERT_TRUE(next->take_up().ok());
  acts.safe = true;
  ASSERT_EQ(go(*next), Driver::End::closed);
  auto late = old->drive({});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().exit_code(), ExitCode::locked);
}

// The program dies after it has written down a question or a decision, and before people know: the
// log on `there` ends with the first event that `is_last` names.
class CrashedBeforeTelling : public testing::RunbookTest {
 protected:
  void SetUp() override {
    use("raci: {go: {management: A, lead: I}}\n"
        "runbooks:\n  main:\n    steps: [{gate: {task: go}}, {manual: m}]\n",
        "main");
  }
  void log_until(const std::function<bool(const record::RunEvent&)>& is_last) {
    auto run = start(here);
    say(here, "max", record::RunInputKind::approve, "", Json::object(), 1);
    go(*run);
    for (auto event : here.log.events("r1").take()) {
      ASSERT_TRUE(there.log.append("r1", "run main", event).ok());
      if (is_last(event)) return;
    }
    FAIL() << "there was no such event";
  }
  state::RecordShelf other_shelf;
  Machine here{&shelf}, there{&other_shelf};
};

TEST_F(CrashedBeforeTelling, ADecisionIsToldByWhoGoesOn) {
  log_until([](const auto& event) {
    return event.data["hash"].is_string() && !event.by.empty() &&
           event.kind == record::RunEventKind::ended;
  });
  acts.informed.clear();
  auto next = driver(there);
  ASSERT_TRUE(next->take_up().ok());
  ASSERT_EQ(acts.informed.size(), 1u);
  EXPECT_EQ(acts.informed[0].first, "lead");
  ASSERT_EQ(go(*next), Driver::End::waits_for_people);
  auto later = driver(there);
  ASSERT_TRUE(later->take_up().ok());
  EXPECT_EQ(acts.informed.size(), 1u) << "not whenever the run is gone on with";
}

TEST_F(CrashedBeforeTelling, AQuestionThatIsOnItsWayStays) {
  log_until([](const auto& event) { return event.kind == record::RunEventKind::asks; });
  acts.invited.clear();
  ASSERT_TRUE(driver(there)->take_up().ok());
  EXPECT_TRUE(acts.invited.empty()) << "it is on its way";
}

TEST_F(CrashedBeforeTelling, AQuestionThatReachedNobodyIsAskedAnew) {
  log_until([](const auto& event) { return event.kind == record::RunEventKind::asks; });
  acts.invited.clear();
  acts.keeps_invitations = false;
  auto next = driver(there);
  ASSERT_TRUE(next->take_up().ok());
  ASSERT_EQ(acts.invited.size(), 1u);
  EXPECT_EQ(acts.invited[0].first, "management");
  EXPECT_EQ(next->state().at(1).need, Need::decision);
}

// What the first has at work must have ended before the second looks whether it happened.
TEST_F(Crashed, WhoIsTakenOverFromNoticesAtOnce) {
  use("runbooks:\n  main:\n    steps: [{run: a, probe: p}, {run: b}]\n", "main");
  acts.hang = true;
  auto run = driver(first);
  ASSERT_TRUE(run->open({}).ok());
  std::jthread other_one([&] {
    while (acts.count("a") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    host = "h2";
    auto next = driver(second);
    EXPECT_TRUE(next->take_up().ok());
  });
  auto end = run->drive({});  // its step would hang for ever
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().exit_code(), ExitCode::locked);
}

// Its program is gone, or is not: from another machine that cannot be told.
TEST_F(Crashed, WhoTakesOverFromAnotherMachineGivesItTimeToNotice) {
  use("runbooks:\n  main:\n    steps: [{run: a, probe: p}, {run: b}]\n", "main");
  acts.happened_["a"] = true;
  for (const char* next_host : {"h1", "h2"}) {
    state::RecordShelf own;
    Machine died(&own), goes_on(&own);
    host = "h1";
    ASSERT_TRUE(driver(died)->open({}).ok());
    record::RunEvent began;
    began.kind = record::RunEventKind::began;
    began.number = 2;
    began.step = 1;
    began.attempt = 1;
    ASSERT_TRUE(died.log.append("r1", "run main", began).ok());
    host = next_host;
    auto next = driver(goes_on);
    ASSERT_TRUE(next->take_up().ok());
    auto begun = goes_on.clock.now();
    EXPECT_EQ(go(*next), Driver::End::closed);
    auto waited = goes_on.clock.now() - begun >= std::chrono::seconds(10);
    EXPECT_EQ(waited, host == "h2") << host;
  }
  EXPECT_EQ(acts.done["a"], 0);
}

TEST_F(Driving, ADrillThatNobodyAttendsGoesPastPeople) {
  attended = false;
  use(R"(runbooks:
  main:
    steps:
      - ask: {failed_at: time}
      - gate: {approve: lead}
      - checklist: [one, two]
      - {run: a, when: the bucket is affected}
)",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(run->state().at(2).status, StepStatus::skipped);
  EXPECT_TRUE(run->state().at(2).result["held"].boolean());
  EXPECT_TRUE(parse_time(run->state().variables.at("failed_at")).ok());
  EXPECT_EQ(acts.done["a"], 1);
}

TEST_F(Driving, EndsWhenAPersonEndsIt) {
  use("runbooks:\n  main:\n    steps: [{manual: m}, {run: a}]\n", "main");
  Machine one(&shelf);
  auto run = start(one);
  say(one, "ada", RunInputKind::abort);
  go(*run);
  EXPECT_FALSE(run->state().closed.has_value()) << "without a reason it does not end";
  say(one, "ada", RunInputKind::abort, "it was another system");
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(run->state().closed, RunResult::aborted);
  EXPECT_EQ(acts.done["a"], 0);
}

// Asked again each time the question expires, the decision still has its time as a whole.
TEST_F(Driving, DecidersHaveSoMuchTime) {
  use("runbooks:\n  main:\n    steps: [{gate: {approve: lead, expires: 10m}, limit: 25m}, {run: "
      "a}]\n",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  for (int minutes = 0; minutes < 22; minutes += 11) {
    one.clock.advance(std::chrono::minutes(11));
    go(*run);
    EXPECT_EQ(run->state().at(1).status, StepStatus::asks);
  }
  EXPECT_EQ(acts.invited.size(), 3u);
  one.clock.advance(std::chrono::minutes(4));
  go(*run);
  EXPECT_EQ(run->state().at(1).status, StepStatus::failed);
  EXPECT_EQ(run->state().at(1).text, "nobody decided within 25 min 00 s");
  EXPECT_EQ(acts.done["a"], 0);
}

TEST_F(Driving, PeopleHaveSoMuchTime) {
  use("runbooks:\n  main:\n    steps: [{manual: repair it, limit: 30m, fail: continue}, {run: "
      "a}]\n",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  one.clock.advance(std::chrono::minutes(29));
  go(*run);
  EXPECT_EQ(acts.done["a"], 0);
  one.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(run->state().at(1).status, StepStatus::passed);
}

}  // namespace
}  // namespace lb::runbook
