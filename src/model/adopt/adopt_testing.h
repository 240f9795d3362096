// What the tests of this folder share: a document written down in the test, and the plan it
// becomes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "model/adopt/adopt.h"
#include "model/plan/reader.h"

namespace lb::adopt::testing {

// The adoption of "doc.md"; fails the test when its plan is not accepted.
inline Adoption adopted(const std::string& markdown) {
  auto out = adopt("doc.md", markdown);
  EXPECT_TRUE(out.ok());
  if (!out.ok()) return {};
  auto read = plan::read_plan("plan.yaml", out->yaml, nullptr);
  EXPECT_EQ(plan::format_mistakes(read.mistakes, false), "") << out->yaml;
  return *out;
}

inline plan::Plan plan_of(const std::string& markdown) {
  return plan::read_plan("plan.yaml", adopted(markdown).yaml, nullptr).plan;
}

// "1, 5: text" of each.
inline std::vector<std::string> contradictions(const std::string& markdown) {
  std::vector<std::string> out;
  for (const auto& one : adopted(markdown).contradictions) {
    std::vector<std::string> lines;
    for (auto line : one.lines) lines.push_back(std::to_string(line));
    out.push_back(cat(join(lines, ", "), ": ", one.text));
  }
  return out;
}

}  // namespace lb::adopt::testing
