#include "operations/runbook/post_mortem.h"

#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using testing::Machine;

class PostMortem : public testing::RunbookTest {
 protected:
  std::string text(Machine& machine, const Driver& run) {
    auto events = machine.log.events("r1").take();
    return post_mortem(plan, script, run.state(), events, {});
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
  auto out = post_mortem(plan, script, run->state(), events, {}, &story);
  for (const char* part :
       {"Incident P0 \"no orders\"", "From the failure to its opening: 2 min",
        "From its opening to the first answer: 3 min",
        "From the failure to the start of the run: 7 min", "P0 opened: no orders, by dba",
        "told lead (P0.1.1), by Lifeboat", "closed: all is well, by somebody without a role",
        "lifeboat incident show i1"})
    EXPECT_NE(out.find(part), std::string::npos) << part << "\n" << out;
  EXPECT_LT(out.find("told lead"), out.find("the run was asked for"));
  EXPECT_LT(out.find("the run ended"), out.find("closed: all is well"));
  EXPECT_EQ(out.find("eve ("), std::string::npos);
}

}  // namespace
}  // namespace lb::runbook
