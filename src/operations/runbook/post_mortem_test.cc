#include "operations/runbook/post_mortem.h"

#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using testing::Machine;

class PostMortem : public testing::RunbookTest {
 protected:
  // A drill the day before, an incident, and three runs before this one.
  static Surroundings surroundings(Timestamp failed) {
    Surroundings around;
    record::DrillRecord drill;
    drill.id = "d1";
    drill.drill = "monthly";
    drill.verdict = record::Verdict::pass;
    drill.started = failed - std::chrono::hours(24);
    around.drills = {drill};
    around.incident.emplace();
    around.incident->failed_at = failed;
    Forecast before;
    before.runs = 3;
    before.unknown = 1;
    before.half = before.most = Seconds(70);
    StepForecast restore;
    restore.number = 1;
    restore.measured = 3;
    restore.half = Seconds(40);
    restore.most = Seconds(70);
    before.steps = {restore};
    around.forecast = before;
    return around;
  }
  std::string text(Machine& machine, const Driver& run) {
    auto events = machine.log.events("r1").take();
    return post_mortem(plan, script, run.state(), events);
  }
};

TEST_F(PostMortem, TellsWhatHappenedByRoles) {
  use(R"(runbooks:
  main:
    objective: {rto: 1h}
    steps:
      - ask: {failed_at: time}
      - gate: {approve: management}
      - {run: a, fail: continue}
      - run: b
      - {manual: look at it, by: dba}
)",
      "main");
  acts.fails["a"] = 1;
  acts.facts = Json::object().set("facts", Json::object().set("point", "p1"));
  Machine one(&shelf);
  auto run = start(one);
  auto failed =
      Json::object().set("failed_at", format_time(one.clock.now() - std::chrono::minutes(20)));
  say(one, "ada", RunInputKind::answer, "", Json::object().set("values", failed));
  go(*run);
  one.clock.advance(std::chrono::minutes(25));
  auto glass = Json::object().set("hash", run->state().at(2).asks["hash"]).set("break_glass", true);
  say(one, "eve", RunInputKind::approve, "nobody answers", glass, 2);
  go(*run);
  say(one, "eve", RunInputKind::skip, "no time", Json::object(), 5);
  go(*run);
  ASSERT_EQ(run->state().closed, RunResult::done);
  auto out = text(one, *run);
  auto has = [&](const std::string& part) { return out.find(part) != std::string::npos; };
  EXPECT_TRUE(has("From the failure to the start of the run: 20 min")) << out;
  EXPECT_TRUE(has("_25 min without an event_") || has("_25 min 00 s without an event_")) << out;
  EXPECT_TRUE(has("step 3 (a) failed: it failed; then: continue")) << out;
  EXPECT_TRUE(has("step 5 (look at it) was left out: no time")) << out;
  EXPECT_TRUE(has("dba: go: nobody answers **(the glass was broken)**")) << out;
  EXPECT_TRUE(has("  - point: p1")) << out;
  EXPECT_TRUE(has("Review that the glass was broken")) << out;
  EXPECT_TRUE(has("Find out why step 3 (a) failed")) << out;
  EXPECT_TRUE(has("1 h")) << out;
  for (const char* name : {"ada", "eve (", " eve ", "max"})
    EXPECT_FALSE(has(name)) << name << "\n" << out;
}

// All that a post-mortem is to have, and the loss of each store against the failure.
TEST_F(PostMortem, HasEverySectionAndTheLossOfEachStore) {
  use("links: {dashboard: \"https://monitoring.example.com\"}\n"
      "runbooks:\n  main: {steps: [{restore: {store: db, to: staging}}, {run: b}]}\n",
      "main");
  Machine one(&shelf);
  auto run = start(one);
  say(one, "ada", RunInputKind::confirm, "", Json::object().set("word", "production"));
  go(*run);
  ASSERT_EQ(run->state().closed, RunResult::done) << last_refusal(one);
  auto events = one.log.events("r1").take();
  const auto failed = run->state().opened - std::chrono::minutes(10);
  for (auto& event : events) {
    if (event.kind == record::RunEventKind::ended && event.step == 1)
      event.data.set("db", Json::object()
                               .set("point", "p7")
                               .set("last_commit", format_time(failed - std::chrono::minutes(3))));
  }
  auto out = post_mortem(plan, script, run->state(), events, surroundings(failed));
  for (const char* part :
       {"## Summary",
        "## Impact",
        "## Detection",
        "## Timeline",
        "## Trigger and contributing factors",
        "## Why drills did not catch it",
        "## Recovery path and deviations from the runbook",
        "## Predicted and real times",
        "## Decisions, with what was shown then",
        "## Communications",
        "## What went well",
        "## What went wrong",
        "## Where we were lucky",
        "## Actions",
        "## Evidence",
        "| action | owner | until |",
        "| db | 1 | p7 | ",
        " | 3 min 00 s |",
        "The last drill (monthly, ",
        "ended with PASS",
        "| 40.0 s, at most 1 min 10 s (3 times before) | ",
        "predicted 1 min 10 s in half of all cases, 1 min 10 s in nine of ten, by 3 earlier runs",
        "`lifeboat report d1`",
        "dashboard: https://monitoring.example.com"})
    EXPECT_NE(out.find(part), std::string::npos) << part << "\n" << out;
}

TEST_F(PostMortem, ARunThatWentAsWrittenHasNoDeviations) {
  use("runbooks:\n  main: {steps: [{run: a}, {run: b}]}\n", "main");
  Machine one(&shelf);
  auto run = start(one);
  auto events = one.log.events("r1").take();
  EXPECT_TRUE(deviations(script, run->state(), events).empty());
  EXPECT_NE(text(one, *run).find("followed as it is written"), std::string::npos);
}

TEST_F(PostMortem, TheIncidentStandsAmongTheEventsOfTheRun) {
  use("runbooks:\n  main: {steps: [{run: a}]}\n", "main");
  Machine one(&shelf);
  auto run = start(one);
  const auto began = run->state().opened;
  using std::chrono::minutes;
  IncidentStory story;
  story.id = "i1";
  story.severity = "P0";
  story.title = "no orders";
  story.opened = began - minutes(5);
  story.failed_at = began - minutes(7);
  story.acknowledged = began - minutes(2);
  story.lines = {{began - minutes(5), "eve (dba, team)", "P0 opened: no orders"},
                 {began - minutes(4), "", "told lead (P0.1.1)"},
                 {began + minutes(30), "max", "closed: all is well"}};
  auto events = one.log.events("r1").take();
  Surroundings around;
  around.incident = story;
  auto out = post_mortem(plan, script, run->state(), events, around);
  for (const char* part :
       {"Incident P0 \"no orders\"", "From the failure to its opening: 2 min",
        "From its opening to the first answer: 3 min",
        "From the failure to the start of the run: 7 min", "P0 opened: no orders, by dba",
        "told lead (P0.1.1), by Lifeboat", "closed: all is well, by somebody without a role",
        "lifeboat incident show i1", "  incident: told lead (P0.1.1)"})
    EXPECT_NE(out.find(part), std::string::npos) << part << "\n" << out;
  EXPECT_LT(out.find("told lead"), out.find("the run was asked for"));
  EXPECT_LT(out.find("the run ended"), out.find("closed: all is well"));
  EXPECT_EQ(out.find("eve ("), std::string::npos);
}

}  // namespace
}  // namespace lb::runbook
