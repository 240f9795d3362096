#include "model/plan/alert_bounds.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb::plan {
namespace {

Plan plan_of(const std::string& store, const std::string& targets) {
  const auto text =
      cat("version: 1\nsystem: shop\nrepository: {at: /backups, key: env:KEY}\n"
          "stores: {it: {",
          store, "}}\ntargets: {", targets, "}\npeople: {a: {slack: \"@a\"}}\n",
          "alerts:\n  critical: {on: [{disk: 80%}, {lag: 5m}, {connections: 80%}], send: a}\n"
          "  warning: {on: [{slow_queries: 5}, {error_rate: 1%}, {response_time: 2s}], send: a}\n",
          "channels: {s: {slack: env:HOOK}}\n");
  auto out = read_plan("plan.yaml", text, nullptr);
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  return out.plan;
}

std::vector<std::string> told(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& note : bounds_of_nothing(plan))
    out.push_back(cat(note.place.text(), ": ", note.text, "; ", note.suggestion));
  return out;
}

TEST(AlertBounds, WhatMeasuresNothingIsNamedWithWhatItNeeds) {
  const auto bare = plan_of("files: /srv", "box: {isolate: network, url: \"http://localhost:1\"}");
  EXPECT_EQ(told(bare),
            (std::vector<std::string>{
                "plan.yaml:8:38: alerts on lag measure nothing here; they need a postgres store "
                "with log: continuous",
                "plan.yaml:8:57: alerts on connections measure nothing here; they need a postgres "
                "store",
                "plan.yaml:9:33: alerts on slow_queries measure nothing here; they need a postgres "
                "store",
                "plan.yaml:9:50: alerts on error_rate measure nothing here; they need a target "
                "with a url: that is not isolated",
                "plan.yaml:9:71: alerts on response_time measure nothing here; they need a target "
                "with a url: that is not isolated"}));
  EXPECT_TRUE(bare.not_acted_on.empty());
  const auto without_log =
      plan_of("postgres: env:DB", "live: {protect: true, url: \"http://localhost:1\"}");
  EXPECT_EQ(told(without_log).size(), 1U);
  const auto whole = plan_of("postgres: env:DB, log: continuous, every: daily",
                             "live: {protect: true, url: \"http://localhost:1\"}");
  EXPECT_EQ(told(whole), std::vector<std::string>{});
  ASSERT_EQ(targets_in_service(whole).size(), 1U);
  EXPECT_EQ(targets_in_service(whole)[0]->name, "live");
  EXPECT_TRUE(has_bound(whole, "connections"));
  EXPECT_FALSE(has_bound(whole, "connection"));
}

}  // namespace
}  // namespace lb::plan
