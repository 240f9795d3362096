#include "operations/runbook/drilled.h"

#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using record::RunInputKind;
using testing::Machine;

class Drilled : public testing::RunbookTest {
 protected:
  record::DrillRecord described(Machine& machine, const Driver& run) {
    record::DrillRecord out;
    describe_people(plan, script, run.state(), machine.log.events("r1").take(), out);
    return out;
  }
  const std::string runbook = R"(runbooks:
  main:
    owner: dba
    steps:
      - gate: {approve: lead}
      - {run: a, by: dba, fail: continue}
      - {manual: look at it, by: dba}
      - notify: {template: recovery-started, to: [team, management]}
)";
};

TEST_F(Drilled, WithoutPeopleEachRoleIsNamedAndNobodyActed) {
  attended = false;
  use(runbook, "main");
  acts.fails["a"] = 1;
  Machine one(&shelf);
  auto run = start(one);
  ASSERT_EQ(run->state().closed, RunResult::done);
  const auto record = described(one, *run);
  const std::vector<record::DrilledRole> roles = {{"lead", "decides", {1}, {}},
                                                  {"dba", "does", {2, 3}, {}},
                                                  {"team", "is told", {4}, {}},
                                                  {"management", "is told", {4}, {}}};
  EXPECT_EQ(record.roles, roles);
  ASSERT_EQ(record.decisions.size(), 1u);
  EXPECT_EQ(record.decisions[0].decides, "lead");
  EXPECT_EQ(record.decisions[0].result, "held");
  EXPECT_TRUE(record.decisions[0].by.empty());
  ASSERT_EQ(record.tasks.size(), 1u) << "of the step that failed, not of those that were held";
  EXPECT_NE(record.tasks[0].text.find("step 2 (a) failed in the drill"), std::string::npos);
  EXPECT_EQ(record.tasks[0].owner, "dba");
  EXPECT_EQ(record.tasks[0].due, run->state().last_event + std::chrono::hours(24 * 7));
}

TEST_F(Drilled, PeopleWhoTakePartAreNamedWithWhatTheyDecidedOn) {
  use(runbook, "main");
  acts.facts = Json::object().set("facts", Json::object().set("point", "p1"));
  Machine one(&shelf);
  auto run = start(one);
  auto hash = Json::object().set("hash", run->state().at(1).asks["hash"]);
  say(one, "bob", RunInputKind::approve, "", hash, 1);
  go(*run);
  say(one, "eve", RunInputKind::skip, "no time", Json::object(), 3);
  go(*run);
  ASSERT_EQ(run->state().closed, RunResult::done) << last_refusal(one);
  const auto record = described(one, *run);
  ASSERT_EQ(record.decisions.size(), 1u);
  EXPECT_EQ(record.decisions[0].result, "approved");
  EXPECT_EQ(record.decisions[0].by.substr(0, 4), "bob ");
  EXPECT_EQ(record.decisions[0].shown, std::vector<std::string>{"point: p1"});
  EXPECT_TRUE(record.decisions[0].at);
  ASSERT_EQ(record.roles.size(), 4u);
  ASSERT_EQ(record.roles[0].acted.size(), 1u);
  EXPECT_EQ(record.roles[0].acted[0], record.decisions[0].by);
  ASSERT_EQ(record.tasks.size(), 1u);
  EXPECT_NE(record.tasks[0].text.find("step 3 (look at it), left out in the drill"),
            std::string::npos);
}

TEST_F(Drilled, WhatStepsTookBeforeStandsBesideThem) {
  Forecast before;
  StepForecast known;
  known.number = 2;
  known.title = "a";
  known.half = Seconds(7);
  before.steps = {known};
  record::DrillRecord record;
  record.steps = {{1, "a", "", "", "", "done", Seconds(3), std::nullopt},
                  {2, "a", "", "", "", "done", Seconds(3), std::nullopt},
                  {2, "b", "", "", "", "done", Seconds(3), std::nullopt},
                  {2, "a", "", "", "", "held", std::nullopt, std::nullopt}};
  add_predictions(before, record);
  EXPECT_FALSE(record.steps[0].predicted);
  EXPECT_EQ(record.steps[1].predicted, Micros(Seconds(7)));
  EXPECT_FALSE(record.steps[2].predicted) << "another step stands there by now";
  EXPECT_FALSE(record.steps[3].predicted) << "it was not done";
}

}  // namespace
}  // namespace lb::runbook
