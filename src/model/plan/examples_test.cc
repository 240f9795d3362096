#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "model/plan/plan_testing.h"
#include "model/plan/schema_testing.h"
#include "model/plan/unsupported.h"

namespace lb::plan {
namespace {

using testing::lines;

std::string example(const std::string& name) {
  std::ifstream file(std::string(LIFEBOAT_EXAMPLES) + "/" + name + ".yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Example : public ::testing::TestWithParam<std::string> {};

TEST_P(Example, ReadsWithoutMistakes) {
  auto text = example(GetParam());
  ASSERT_FALSE(text.empty());
  auto out = read_plan(GetParam() + ".yaml", text, nullptr);
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  EXPECT_EQ(out.plan.system, GetParam());
  EXPECT_FALSE(out.plan.drills.empty());
  EXPECT_FALSE(out.plan.runbooks.empty());
}

TEST_P(Example, ExplainsIntoAPlanThatMeansTheSame) {
  auto plan = read_plan("a.yaml", example(GetParam()), nullptr).plan;
  auto explained = explain(plan, {}, from_micros(1'800'000'000'000'000));
  auto again = read_plan("b.yaml", explained.yaml, nullptr);
  EXPECT_EQ(format_mistakes(again.mistakes, false), "") << explained.yaml;
  EXPECT_EQ(again.plan.fingerprint.size(), replace_all(explained.yaml, "  # default", "").size())
      << "nothing but the marks is lost, and there are no defaults left to fill in";
  EXPECT_EQ(explained.lines.size(), plan.stores.size());
  for (const auto& line : explained.lines) EXPECT_TRUE(line.worst_loss.has_value()) << line.store;
}

TEST_P(Example, FitsTheSchema) {
  auto schema = parse_json(json_schema());
  ASSERT_TRUE(schema.ok());
  auto plan = read_plan("a.yaml", example(GetParam()), nullptr).plan;
  EXPECT_EQ(testing::violation(*schema, to_json(plan.tree)), "");
}

INSTANTIATE_TEST_SUITE_P(All, Example,
                         ::testing::Values("content-crew", "vidra", "vete", "supabase-platform",
                                           "core-db"),
                         [](const auto& test) { return replace_all(test.param, "-", "_"); });

TEST(Examples, SayWhatIsNotSupportedYet) {
  auto plan = read_plan("v.yaml", example("vidra"), nullptr).plan;
  auto backup = lines(unsupported_for_backup(plan, {}));
  ASSERT_EQ(backup.size(), 2U);
  EXPECT_NE(backup[1].find("not supported yet: a firestore store (fs)"), std::string::npos);
  auto drill = lines(unsupported_for_drill(plan, *plan.drill("monthly")));
  EXPECT_GE(drill.size(), 5U) << "store, wiping, address, checks";
}

}  // namespace
}  // namespace lb::plan
