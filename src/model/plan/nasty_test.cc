#include <gtest/gtest.h>

#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::read;
using testing::small_plan;

// Whatever comes in: no crash, an answer, and every mistake stands somewhere in a file.
void expect_an_answer(const std::string& text) {
  auto out = read(text, {{"self.yaml", text}});
  for (const auto& mistake : out.mistakes) {
    EXPECT_GE(mistake.place.line, 1U);
    EXPECT_GE(mistake.place.column, 1U);
    EXPECT_FALSE(mistake.place.file.empty());
    EXPECT_FALSE(mistake.text.empty());
    EXPECT_TRUE(valid_utf8(mistake.text + mistake.suggestion + mistake.source_line)) << text;
  }
  format_mistakes(out.mistakes, true);
  if (!out.ok()) return;
  auto explained = explain(out.plan, {}, from_micros(0));
  auto again = read(explained.yaml);
  EXPECT_EQ(format_mistakes(again.mistakes, false), "") << explained.yaml;
}

TEST(Nasty, EveryPrefixOfAPlan) {
  for (std::size_t size = 0; size <= small_plan.size(); ++size)
    expect_an_answer(small_plan.substr(0, size));
}

TEST(Nasty, EveryByteReplaced) {
  for (std::size_t at = 0; at < small_plan.size(); ++at) {
    for (char c : {'\0', '\n', '{', '"', ':', '\xFF'}) {
      auto text = small_plan;
      text[at] = c;
      expect_an_answer(text);
    }
  }
}

TEST(Nasty, EveryLineLeftOutOrTwice) {
  auto all = split(small_plan, '\n');
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto without = all, twice = all;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), all[i]);
    expect_an_answer(join(without, "\n"));
    expect_an_answer(join(twice, "\n"));
  }
}

TEST(Nasty, ValuesOfTheWrongKindEverywhere) {
  for (std::string section :
       {"version",  "system", "timezone", "include",    "objectives", "repository",
        "stores",   "groups", "targets",  "masks",      "checks",     "drills",
        "runbooks", "people", "alerts",   "escalation", "raci",       "templates",
        "probes",   "tasks",  "links",    "evidence",   "channels",   "hours"}) {
    for (std::string value :
         {"", "x", "[]", "{}", "[[[]]]", "{a: {b: {c: d}}}", "[{a: b}, 1, ~]", "{a: [~, {}]}",
          "{? : x}", "\"\\0\"", "{a: {steps: [~, x, {}, {use: a}, {wait: ~}]}}", "{a: ~}",
          "{a: {restore: [[x]], into: {}, checks: {a: b}}}", "{a: {checks: [~]}}", "!!str x"}) {
      expect_an_answer(section + ": " + value + "\n");
    }
  }
}

TEST(Nasty, HugeInputs) {
  expect_an_answer(std::string(10'000'001, 'a'));
  expect_an_answer(std::string(9'000'000, 'a'));
  expect_an_answer(std::string(100'000, '{'));
  expect_an_answer("a: " + std::string(5'000'000, '='));
  expect_an_answer("include: self.yaml\n");
  std::string keys, deep = "runbooks:\n";
  for (int i = 0; i < 20'000; ++i) keys += cat("key", i, ": x\n");
  expect_an_answer(keys);
  for (int i = 0; i < 2'000; ++i)
    deep += cat("  r", i, ": {steps: [{use: r", i + 1, "}, {use: r", i / 2, "}]}\n");
  expect_an_answer(deep);
}

TEST(Nasty, ThousandsOfMistakesAreCutOff) {
  std::string text = small_plan + "drills:\n";
  for (int i = 0; i < 2'000; ++i) text += cat("  d", i, ": {verify: x}\n");
  auto out = read(text);
  ASSERT_EQ(out.mistakes.size(), 501U);
  EXPECT_EQ(out.mistakes.back().text, "and 1500 more mistakes");
}

}  // namespace
}  // namespace lb::plan
