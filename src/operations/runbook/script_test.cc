#include "operations/runbook/script.h"

#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

using testing::plan_with;

TEST(Script, ParametersAreCheckedBeforeAnythingRuns) {
  auto plan = plan_with(
      "runbooks:\n  r: {parameters: {when: time, fast: boolean, n: number}, steps: [{run: a}]}\n");
  auto text = [&](std::map<std::string, std::string> given) {
    auto out = make_script(plan, "r", given);
    return out.ok() ? std::string() : out.error().text();
  };
  std::map<std::string, std::string> right = {
      {"when", "2026-01-13T02:00:00Z"}, {"fast", "true"}, {"n", "3"}};
  EXPECT_EQ(text(right), "");
  EXPECT_EQ(text({{"when", "latest"}, {"fast", "true"}, {"n", "3"}}), "");
  auto wrong = right;
  wrong["when"] = "noon";
  EXPECT_EQ(text(wrong), "when=noon is no time");
  wrong = right;
  wrong["fast"] = "yes";
  EXPECT_EQ(text(wrong), "fast=yes is no boolean (true or false)");
  wrong = right;
  wrong.erase("n");
  EXPECT_EQ(text(wrong), "runbook r needs n");
  wrong = right;
  wrong["whem"] = "1";
  EXPECT_EQ(text(wrong), "runbook r has no parameter 'whem'");
  EXPECT_EQ(make_script(plan, "s", {}).error().text(), "the plan has no runbook 's'");
}

TEST(Script, NestedParametersMeanTheNamesAroundThem) {
  auto plan = plan_with(R"(runbooks:
  inner: {parameters: {target: text}, steps: [{run: "to $target"}]}
  outer: {parameters: {target: text}, steps: [{use: inner, with: {target: "$target-copy"}}]}
)");
  auto script = make_script(plan, "outer", {{"target", "west"}}).take();
  Variables set;
  Names names(script, set);
  EXPECT_EQ(names.expand("to ${target}!", script.at(2).scope).value(), "to west-copy!");
  EXPECT_EQ(names.expand("$target", 0).value(), "west");
  EXPECT_EQ(names.all(script.at(2).scope).at("target"), "west-copy");
  EXPECT_EQ(names.expand("costs $5, $ and ${", 0).value(), "costs $5, $ and ${");
  EXPECT_EQ(names.expand("$nothing", 0).error().text(), "$nothing has no value yet");
}

TEST(Script, TooManyStepsAreRefused) {
  std::string text = "runbooks:\n  r0: {steps: [{run: a}, {run: b}]}\n";
  for (int i = 1; i < 20; ++i) {
    text += "  r" + std::to_string(i) + ": {steps: [{use: r" + std::to_string(i - 1) +
            "}, {use: r" + std::to_string(i - 1) + "}]}\n";
  }
  auto plan = plan_with(text);
  auto out = make_script(plan, "r19", {});
  ASSERT_FALSE(out.ok());
  EXPECT_NE(out.error().text().find("more than 10000 steps"), std::string::npos);
}

TEST(Conditions, AreDecidedWhenTheySpeakOfVariables) {
  auto plan = plan_with("runbooks:\n  r: {steps: [{run: a}]}\n");
  auto script = make_script(plan, "r", {}).take();
  Variables set = {{"kind", "region"}, {"n", "7"}, {"yes", "true"}, {"no", "false"}};
  Names names(script, set);
  auto holds = [&](const std::string& text) { return decide(text, names, 0).value(); };
  EXPECT_EQ(holds("$kind == region"), true);
  EXPECT_EQ(holds("$kind != region"), false);
  EXPECT_EQ(holds("$n > 5"), true);
  EXPECT_EQ(holds("$n <= 5"), false);
  EXPECT_EQ(holds("$yes"), true);
  EXPECT_EQ(holds("not $no"), true);
  EXPECT_EQ(holds("the bucket is affected"), std::nullopt);
  EXPECT_EQ(holds("$yes and more"), std::nullopt);
  EXPECT_FALSE(decide("$kind > 5", names, 0).ok());
  EXPECT_FALSE(decide("$unknown", names, 0).ok());
}

TEST(Titles, SayWhatIsDone) {
  auto plan = plan_with(R"(runbooks:
  r:
    steps:
      - restore: {store: db, to: production, how: beside-then-swap}
      - wait: {http: GET /health, limit: 5m}
      - wait: {for: 30m}
      - notify: {template: recovery-started, to: [team]}
      - gate: {approve: lead}
      - checklist: [a, {item: b}]
      - preflight: [disk, network]
)");
  std::vector<std::string> titles;
  for (const auto& step : plan.runbooks[0].steps) titles.push_back(title_of(step));
  EXPECT_EQ(titles, (std::vector<std::string>{"restore db to production (beside-then-swap)",
                                              "wait until GET /health", "wait 30m",
                                              "tell team (recovery-started)", "decision of lead",
                                              "checklist a, b", "preflight disk, network"}));
}

}  // namespace
}  // namespace lb::runbook
