// The limit of a group of steps, and what follows when it is over; how often a group tries again.
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Machine;

class Groups : public testing::RunbookTest {
 protected:
  // Until it is closed or waits for people; `title` hangs, and the clock goes on by itself.
  void drive_hanging(Driver& run, const std::string& title) {
    acts.hang_at = title;
    acts.hang = true;
    go(run);
    acts.hang = false;
  }
  std::unique_ptr<Driver> opened(Machine& machine) {
    auto out = driver(machine);
    EXPECT_TRUE(out->open({}).ok());
    return out;
  }
  std::unique_ptr<Driver> taken_up(Machine& machine) {
    auto out = driver(machine);
    EXPECT_TRUE(out->take_up().ok());
    return out;
  }
  // The driver is gone while `a` is at work, and nobody leaves a word of its end.
  void crash_at_a() {
    auto run = opened(one);
    std::stop_source stop;
    acts.hang_at = "a";
    acts.hang = true;
    std::jthread thread([&] { (void)run->drive(stop.get_token()).ok(); });
    while (acts.count("a") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
    thread.join();
    acts.hang = false;
  }
  const StepState& step(Driver& run, std::size_t number) { return run.state().at(number); }
  Machine one{&shelf}, two{&shelf};
};

constexpr const char* plan_of_limits = R"(runbooks:
  inner: {steps: [{run: first}, {run: a, fail: {retry: 9}}, {run: b, fail: continue}]}
  main: {steps: [{use: inner, limit: 1m}, {run: c}]}
  on: {steps: [{use: inner, limit: 1m, fail: continue}, {run: c}]}
  again: {steps: [{use: inner, limit: 1m, fail: {retry: 2}}, {run: c}]}
  back: {steps: [{run: z, name: z}, {use: inner, limit: 1m, fail: {goto: z}}, {run: c}]}
  beside:
    steps: [{parallel: [{use: inner}, {run: d}, {manual: m}], limit: 1m, fail: continue}, {run: c}]
  people: {steps: [{run: first}, {manual: m}, {run: b}]}
  asks: {steps: [{use: people, limit: 1h, fail: {goto: end}}, {run: c}, {run: d, name: end}]}
  outer: {steps: [{use: on, limit: 20s, fail: continue}, {run: d}]}
)";

TEST_F(Groups, ItsLimitEndsWhatIsInsideAndNothingThereBegins) {
  use(plan_of_limits, "on");
  auto run = opened(one);
  drive_hanging(*run, "a");
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(step(*run, 3).status, StepStatus::passed) << "at work, ended, and not tried again";
  EXPECT_EQ(step(*run, 3).text, "step 1 (use inner) did not end within 1 min 00 s: stopped");
  EXPECT_EQ(step(*run, 1).status, StepStatus::passed);
  EXPECT_EQ(step(*run, 1).text, "did not end within 1 min 00 s: it was at step 3 (a)");
  EXPECT_EQ(step(*run, 4).status, StepStatus::skipped);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.done["b"], 0);
  EXPECT_EQ(acts.done["c"], 1);
  EXPECT_GE(one.clock.now() - step(*run, 1).began, minutes(1));
  EXPECT_LT(one.clock.now() - step(*run, 1).began, minutes(2));
}

TEST_F(Groups, APersonTakesItUpWhereItWasEndedWithTimeAnew) {
  use(plan_of_limits, "main");
  auto run = opened(one);
  drive_hanging(*run, "a");
  ASSERT_EQ(step(*run, 1).status, StepStatus::failed);
  EXPECT_EQ(acts.done["c"], 0);
  one.clock.advance(hours(2));
  say(one, "ada", RunInputKind::retry);
  go(*run);
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(step(*run, 1).status, StepStatus::done);
  EXPECT_EQ(acts.done["first"], 1) << "what was done is not done twice";
  EXPECT_EQ(acts.done["a"], 2);
  EXPECT_EQ(step(*run, 3).attempt, 2u);
  EXPECT_EQ(acts.done["b"], 1);
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Groups, ItIsTriedAgainAsOftenAsItSays) {
  use(plan_of_limits, "again");
  auto run = opened(one);
  drive_hanging(*run, "a");
  EXPECT_EQ(step(*run, 1).status, StepStatus::failed);
  EXPECT_EQ(step(*run, 1).attempt, 3u);
  EXPECT_EQ(acts.done["first"], 1);
  EXPECT_EQ(acts.done["a"], 3);
  EXPECT_GE(one.clock.now() - run->state().opened, minutes(3)) << "each try has its own minute";
}

TEST_F(Groups, TheWayBackDoesAllOfItAgain) {
  use(plan_of_limits, "back");
  auto run = opened(one);
  acts.hang_at = "a";
  acts.hang = true;
  std::jthread thread([&] { go(*run); });
  while (acts.count("z") < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  acts.hang = false;
  thread.join();
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(acts.done["first"], acts.done["z"]);
  EXPECT_EQ(acts.done["b"], 1);
  EXPECT_EQ(step(*run, 4).status, StepStatus::done);
}

TEST_F(Groups, WhatStandsSideBySideEndsTogether) {
  use(plan_of_limits, "beside");
  auto run = opened(one);
  acts.hang_at = "a";
  acts.hang = true;
  EXPECT_EQ(go(*run), Driver::End::closed);
  acts.hang = false;
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.done["d"], 1) << "it ended in time";
  EXPECT_EQ(step(*run, 6).status, StepStatus::done);
  EXPECT_EQ(step(*run, 7).status, StepStatus::skipped) << "nobody did it in time";
  EXPECT_EQ(step(*run, 2).status, StepStatus::skipped);
  EXPECT_EQ(step(*run, 1).status, StepStatus::passed);
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Groups, PeopleInsideHaveSoMuchTimeToo) {
  use(plan_of_limits, "asks");
  auto run = start(one);
  ASSERT_EQ(step(*run, 3).status, StepStatus::asks);
  one.clock.advance(hours(1));
  EXPECT_EQ(go(*run), Driver::End::closed);
  EXPECT_EQ(step(*run, 1).text,
            "did not end within 1 h 00 min: it was at step 3 (m), which waited for people");
  EXPECT_EQ(acts.done["b"] + acts.done["c"], 0) << "it says which step follows";
  EXPECT_EQ(acts.done["d"], 1);
}

TEST_F(Groups, TheOuterLimitCounts) {
  use(plan_of_limits, "outer");
  auto run = opened(one);
  drive_hanging(*run, "a");
  EXPECT_EQ(run->state().closed, RunResult::done);
  EXPECT_EQ(step(*run, 1).text, "did not end within 20.0 s: it was at step 4 (a)");
  EXPECT_EQ(step(*run, 2).status, StepStatus::skipped);
  EXPECT_EQ(acts.done["c"], 0) << "it stands inside";
  EXPECT_EQ(acts.done["d"], 1);
}

TEST_F(Groups, SettingTheClockNeitherEndsItNorGivesItADay) {
  for (auto jump : {Micros(hours(24)), -Micros(hours(24))}) {
    use(plan_of_limits, "people");
    script = make_script(plan, "asks", {}).take();
    state::RecordShelf own;
    Machine here(&own);
    auto run = start(here);
    here.clock.set_wall(here.clock.now() + jump);
    EXPECT_EQ(go(*run), Driver::End::waits_for_people);
    EXPECT_EQ(step(*run, 3).status, StepStatus::asks);
    here.clock.advance(minutes(59));
    EXPECT_EQ(go(*run), Driver::End::waits_for_people);
    here.clock.advance(minutes(1));
    EXPECT_EQ(go(*run), Driver::End::closed);
  }
}

// The same of what a person is to do, and of who is to decide.
TEST_F(Groups, SettingTheClockTakesNoTimeFromPeople) {
  for (const char* what : {"manual: m", "gate: {approve: lead, expires: 30d}"}) {
    for (auto jump : {Micros(hours(24)), -Micros(hours(24))}) {
      use(cat("runbooks:\n  main:\n    steps: [{", what, ", limit: 1h, fail: continue}]\n"),
          "main");
      state::RecordShelf own;
      Machine here(&own);
      auto run = start(here);
      here.clock.set_wall(here.clock.now() + jump);
      here.clock.advance(minutes(59));
      EXPECT_EQ(go(*run), Driver::End::waits_for_people) << what;
      here.clock.advance(minutes(2));
      EXPECT_EQ(go(*run), Driver::End::closed) << what;
      EXPECT_EQ(step(*run, 1).status, StepStatus::passed);
    }
  }
}

TEST_F(Groups, ACrashGivesNoTimeAnew) {
  use(plan_of_limits, "asks");
  start(one);
  two.clock.advance(minutes(40));
  auto next = taken_up(two);
  EXPECT_EQ(go(*next), Driver::End::waits_for_people);
  two.clock.advance(minutes(19));
  EXPECT_EQ(go(*next), Driver::End::waits_for_people);
  two.clock.advance(minutes(1));
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(step(*next, 1).status, StepStatus::passed);
}

// The effect of `a` is begun, the driver dies, and the time of the group is over when another
// comes.
TEST_F(Groups, WhatHadNotHappenedIsNotDoneWhenTheTimeIsOver) {
  use(plan_of_limits, "on");
  crash_at_a();
  acts.happened_["a"] = false;
  two.clock.advance(hours(2));
  auto next = taken_up(two);
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.probed["a"], 1);
  EXPECT_EQ(step(*next, 3).status, StepStatus::passed);
  EXPECT_EQ(step(*next, 1).status, StepStatus::passed);
  EXPECT_EQ(acts.done["c"], 1);
}

TEST_F(Groups, WhatHadHappenedIsSaidToBeDone) {
  use(plan_of_limits, "on");
  crash_at_a();
  acts.happened_["a"] = true;
  two.clock.advance(hours(2));
  auto next = taken_up(two);
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(step(*next, 3).status, StepStatus::done);
  EXPECT_EQ(step(*next, 1).status, StepStatus::passed);
  EXPECT_EQ(acts.done["b"], 0);
}

TEST_F(Groups, WhatNobodyKnowsIsAskedAndNotGonePast) {
  use(plan_of_limits, "on");
  crash_at_a();
  two.clock.advance(hours(2));
  auto next = taken_up(two);
  EXPECT_EQ(go(*next), Driver::End::waits_for_people);
  EXPECT_EQ(step(*next, 3).need, Need::outcome);
  EXPECT_EQ(step(*next, 1).status, StepStatus::running);
  say(two, "ada", RunInputKind::done, "it ran", Json::object(), 3);
  EXPECT_EQ(go(*next), Driver::End::closed);
  EXPECT_EQ(step(*next, 1).status, StepStatus::passed);
  EXPECT_EQ(acts.done["a"], 1);
  EXPECT_EQ(acts.done["c"], 1);
}

// The driver dies between ending what is inside and ending the group, and the clock goes back: what
// was ended for the limit stays so.
TEST_F(Groups, OnceCutItIsLateWhateverTheClockSays) {
  use(plan_of_limits, "on");
  auto run = opened(one);
  drive_hanging(*run, "a");
  for (auto event : one.log.events("r1").take()) {
    bool of_group = event.kind == record::RunEventKind::ended && event.step == 1;
    if (of_group) break;
    ASSERT_TRUE(two.log.append("r2", "run x", event).ok());
  }
  DriverOptions options;
  options.user = "ada";
  options.host = host;
  options.wait = false;
  Driver next(DriverTools{two.world, two.log, acts, console}, options, plan, script, "r2");
  ASSERT_TRUE(next.take_up().ok());
  ASSERT_EQ(next.state().at(3).status, StepStatus::passed);
  ASSERT_EQ(next.state().at(1).status, StepStatus::running);
  EXPECT_EQ(go(next), Driver::End::closed);
  EXPECT_EQ(next.state().at(1).status, StepStatus::passed);
  EXPECT_EQ(acts.done["b"], 0);
}

// Decisions that stand in a runbook that is used: what comes after it must not go past them.
class Deciding : public Groups {
 protected:
  void decided(Driver& run, std::size_t step) {
    say(one, "eve", RunInputKind::approve, "",
        Json::object().set("hash", run.state().at(step).asks["hash"]), step);
    go(run);
  }
};

constexpr const char* plan_of_gates = R"(runbooks:
  decide: {steps: [{run: first}, {gate: {approve: dba, expires: 1h}}]}
  late: {steps: [{use: decide}, {manual: m}, {restore: {store: db, to: production}}]}
  cut:
    steps:
      - {use: decide, limit: 30m, fail: continue}
      - restore: {store: db, to: production}
  fails: {steps: [{use: decide, fail: continue}, {restore: {store: db, to: production}}]}
  jumps:
    steps:
      - {run: first, fail: {goto: now}}
      - gate: {approve: dba}
      - {restore: {store: db, to: production}, name: now}
  not-wanted:
    steps:
      - {use: decide, when: $out == yes}
      - restore: {store: db, to: production}
)";

TEST_F(Deciding, AnExpiredOneIsAskedForAnew) {
  use(plan_of_gates, "late");
  auto run = start(one);
  decided(*run, 3);
  ASSERT_EQ(step(*run, 1).status, StepStatus::done);
  one.clock.advance(hours(2));
  say(one, "ada", RunInputKind::done, "", Json::object(), 4);
  go(*run);
  EXPECT_EQ(step(*run, 3).status, StepStatus::asks);
  EXPECT_EQ(step(*run, 3).need, Need::decision);
  EXPECT_EQ(step(*run, 5).status, StepStatus::pending);
  decided(*run, 3);
  EXPECT_EQ(step(*run, 1).status, StepStatus::done);
  EXPECT_EQ(step(*run, 5).need, Need::confirmation);
  EXPECT_EQ(acts.done["first"], 1);
}

TEST_F(Deciding, OneThatEndedWithItsGroupIsAskedForAnew) {
  use(plan_of_gates, "cut");
  auto run = start(one);
  one.clock.advance(minutes(31));
  go(*run);
  EXPECT_EQ(step(*run, 3).status, StepStatus::asks) << "nothing is destroyed undecided";
  EXPECT_EQ(step(*run, 4).status, StepStatus::pending);
  decided(*run, 3);
  EXPECT_EQ(step(*run, 4).need, Need::confirmation);
}

TEST_F(Deciding, OneThatAFailureLeftOutIsAskedForAllTheSame) {
  use(plan_of_gates, "fails");
  acts.fails["first"] = 1;
  auto run = start(one);
  EXPECT_EQ(step(*run, 2).status, StepStatus::passed);
  EXPECT_EQ(step(*run, 3).status, StepStatus::asks);
  EXPECT_EQ(step(*run, 4).status, StepStatus::pending);
  decided(*run, 3);
  EXPECT_EQ(step(*run, 4).need, Need::confirmation);
  EXPECT_EQ(acts.done["first"], 1);
}

TEST_F(Deciding, OneThatIsJumpedOverIsAskedForAllTheSame) {
  use(plan_of_gates, "jumps");
  acts.fails["first"] = 1;
  auto run = start(one);
  EXPECT_EQ(step(*run, 2).status, StepStatus::asks);
  EXPECT_EQ(step(*run, 3).status, StepStatus::pending);
  decided(*run, 2);
  EXPECT_EQ(step(*run, 3).need, Need::confirmation);
}

// A condition is somebody's word: what does not apply is not decided on.
TEST_F(Deciding, OneThatIsNotWantedIsNotAskedFor) {
  use(cat(plan_of_gates, "  ask: {steps: [{ask: {out: text}}, {use: not-wanted}]}\n"), "ask");
  auto run = start(one);
  say(one, "ada", RunInputKind::answer, "",
      Json::object().set("values", Json::object().set("out", "no")));
  go(*run);
  EXPECT_EQ(step(*run, 3).status, StepStatus::skipped);
  EXPECT_EQ(step(*run, 6).need, Need::confirmation);
}

TEST_F(Groups, EachStepInsideIsTriedAsOftenAsTheGroupSays) {
  use(R"(runbooks:
  inner: {steps: [{run: a}, {run: b, fail: continue}, {run: c}]}
  main: {steps: [{use: inner, fail: {retry: 2, wait: 1m}}]}
)",
      "main");
  acts.fails = {{"a", 2}, {"b", 1}, {"c", 9}};
  auto run = start(one);
  EXPECT_EQ(acts.done["a"], 3);
  EXPECT_EQ(acts.done["b"], 1) << "its own word counts";
  EXPECT_EQ(acts.done["c"], 3);
  EXPECT_EQ(step(*run, 4).status, StepStatus::failed) << "then a person decides";
  EXPECT_GE(one.clock.now() - run->state().opened, minutes(4)) << "a minute before each";
}

}  // namespace
}  // namespace lb::runbook
