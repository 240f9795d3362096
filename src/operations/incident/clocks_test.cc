#include "operations/incident/clocks.h"

#include "operations/incident/incident_testing.h"

namespace lb::incident {
namespace {

using std::chrono::minutes;
using testing::start;

// The failure was ten minutes before the opening.
TEST(Clocks, CountFromTheFailureToTheEnd) {
  auto state = fold("i1", {testing::fact(1, kind::opened, Micros(0), testing::opening("P0"))});
  EXPECT_EQ(lasted(*state, start + minutes(5)), minutes(15));
  EXPECT_EQ(lasted(*state, start - minutes(50)), minutes(0)) << "a clock that was set back";
  state->closed = Said{start + minutes(20), "ada"};
  EXPECT_EQ(lasted(*state, start + minutes(500)), minutes(30));
}

TEST(Clocks, TheTargetIsThatOfTheRunbookThatAnswers) {
  const char* runbooks = R"(runbooks:
  other: {symptoms: [disk full], objective: {rto: 2h}, steps: [{manual: x}]}
  loss:  {symptoms: [queries return errors], objective: {rto: 1h}, steps: [{manual: x}]}
  plain: {symptoms: [errors], steps: [{manual: x}]}
)";
  struct Case {
    const char* name;
    std::string more;
    std::vector<std::string> runs;
    std::string of;
    Micros left;
  };
  const std::string system = "objectives: {rto: 4h}\n";
  const std::vector<Case> cases = {
      {"by symptoms", system, {}, "runbook loss", minutes(45)},
      {"by what was run", system, {"loss", "other"}, "runbook other", minutes(105)},
      {"the last one that has a target", system, {"other", "plain"}, "runbook other", minutes(105)},
      {"run without a target", system, {"plain"}, "the system", minutes(225)},
      {"none at all", "", {"plain"}, "", minutes(0)},
  };
  for (const auto& one : cases) {
    auto state = fold("i1", {testing::fact(1, kind::opened, Micros(0), testing::opening("P0"))});
    for (const auto& runbook : one.runs) state->runs.push_back({"r", runbook, start});
    auto found = countdown_of(testing::plan_of(runbooks + one.more), *state, start + minutes(5));
    EXPECT_EQ(found ? found->of : "", one.of) << one.name;
    if (found) {
      EXPECT_EQ(found->left, one.left) << one.name;
    }
  }
}

TEST(Clocks, AMissedTargetCountsOn) {
  auto state = fold("i1", {testing::fact(1, kind::opened, Micros(0), testing::opening("P0"))});
  auto plan = testing::plan_of("objectives: {rto: 30m}\n");
  EXPECT_EQ(countdown_of(plan, *state, start + minutes(50))->left, -minutes(30));
}

}  // namespace
}  // namespace lb::incident
