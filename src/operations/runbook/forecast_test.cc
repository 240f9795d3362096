#include "operations/runbook/forecast.h"

#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class Forecasts : public testing::RunbookTest {
 protected:
  // A run in which each step took that long; 0: it was held.
  PastRun run_of(const std::vector<int>& took) {
    PastRun out{script, {}};
    out.state.steps.resize(script.steps.size());
    for (std::size_t i = 0; i < took.size(); ++i) {
      auto& step = out.state.steps[i];
      step.status = StepStatus::done;
      step.began = from_micros(1'000'000);
      step.ended = step.began + seconds(took[i]);
      if (took[i] == 0) step.result = Json::object().set("held", true);
    }
    return out;
  }
};

TEST_F(Forecasts, AddUpWhatStepsTookBefore) {
  use("runbooks:\n  main: {steps: [{run: a}, {manual: m}, {run: c}]}\n", "main");
  EXPECT_EQ(forecast(script, {}).confidence, "none");
  EXPECT_EQ(forecast(script, {}).unknown, 3u);
  std::vector<PastRun> past;
  for (int i = 1; i <= 9; ++i) past.push_back(run_of({i, 10 * i, 0}));
  auto out = forecast(script, past);
  EXPECT_EQ(out.confidence, "medium");
  EXPECT_EQ(out.unknown, 1u) << "what was held took no time that means anything";
  EXPECT_EQ(out.steps[0].half, seconds(5));
  EXPECT_EQ(out.steps[0].most, seconds(8));
  EXPECT_EQ(out.half, seconds(55));
  EXPECT_TRUE(out.steps[1].by_people);
}

TEST_F(Forecasts, ARunbookThatWasEditedKeepsItsTimes) {
  use("runbooks:\n  main: {steps: [{run: a}, {run: b}]}\n", "main");
  std::vector<PastRun> past = {run_of({3, 4})};
  auto old_plan = std::move(plan);
  use("runbooks:\n  main: {steps: [{run: fresh}, {run: b}]}\n", "main");
  auto out = forecast(script, past);
  EXPECT_FALSE(out.steps[0].half.has_value());
  EXPECT_EQ(out.steps[1].half, seconds(4));
}

// A run keeps its plan with every default written out.
TEST_F(Forecasts, AStepThatLeavesADefaultOutIsTheSameStep) {
  use("runbooks:\n  main: {steps: [{restore: {store: db, to: staging, at: latest}}]}\n", "main");
  std::vector<PastRun> past = {run_of({9})};
  auto old_plan = std::move(plan);
  use("runbooks:\n  main: {steps: [{restore: {store: db, to: staging}}]}\n", "main");
  EXPECT_EQ(forecast(script, past).steps[0].half, seconds(9));
  auto second_plan = std::move(plan);
  use("runbooks:\n  main: {steps: [{restore: {store: db, to: production}}]}\n", "main");
  EXPECT_FALSE(forecast(script, past).steps[0].half) << "another place is another step";
}

TEST_F(Forecasts, WhatThePlanAllowsIsHeldAgainstWhatItTook) {
  use("runbooks:\n"
      "  main:\n"
      "    objective: {rto: 2m}\n"
      "    steps: [{run: a, limit: 10s}, {run: b, limit: 1m}, {run: c}]\n",
      "main");
  EXPECT_TRUE(too_slow(script, forecast(script, {})).empty()) << "nothing was measured";
  std::vector<PastRun> past;
  for (int i = 0; i < 9; ++i) past.push_back(run_of({20, i < 7 ? 30 : 90, 10}));
  auto out = too_slow(script, forecast(script, past));
  ASSERT_EQ(out.size(), 2u) << "a step without a limit may take its time";
  EXPECT_EQ(out[0].step, 1u);
  EXPECT_TRUE(out[0].often);
  EXPECT_EQ(out[0].text, "it took 20.0 s or more in half of all cases, and its limit is 10.0 s");
  EXPECT_EQ(out[1].step, 2u);
  EXPECT_FALSE(out[1].often);
  EXPECT_EQ(out[1].text, "it took 1 min 30 s or more in one of ten, and its limit is 1 min 00 s");
  past.clear();
  for (int i = 0; i < 3; ++i) past.push_back(run_of({5, 30, 200}));
  out = too_slow(script, forecast(script, past));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].step, 0u);
  EXPECT_TRUE(out[0].often);
  EXPECT_NE(out[0].text.find("and the objective is"), std::string::npos) << out[0].text;
}

TEST(Timers, NeitherGrowNorGoBelowNothingWhenTheClockJumps) {
  auto began = from_micros(1'800'000'000'000'000);
  EXPECT_EQ(left_of(began, minutes(30), began + minutes(10)), minutes(20));
  EXPECT_EQ(left_of(began, minutes(30), began - minutes(60)), minutes(30)) << "set back";
  EXPECT_EQ(left_of(began, minutes(30), began + minutes(90)), Micros(0))
      << "set forward, or a reboot";
}

}  // namespace
}  // namespace lb::runbook
