#include <gtest/gtest.h>

#include "model/plan/plan_testing.h"
#include "model/plan/schema_testing.h"

namespace lb::plan {
namespace {

using testing::read;
using testing::small_plan;

const Json& schema() {
  static const Json value = parse_json(json_schema()).take();
  return value;
}

std::string violation(const std::string& text) {
  return testing::violation(schema(), to_json(parse_yaml(text).root));
}

TEST(Schema, IsADraft202012DocumentWithHelpAndDefaults) {
  EXPECT_EQ(schema()["$schema"].string(), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema()["required"].dump(), R"(["version","system","repository","stores"])");
  EXPECT_EQ(schema()["properties"]["timezone"]["default"].string(), "UTC");
  EXPECT_EQ(schema()["properties"]["drills"]["description"].string(), "proofs that recovery works");
  EXPECT_FALSE(schema()["$defs"]["duration"]["pattern"].string().empty());
}

TEST(Schema, AcceptsWhatTheReaderAccepts) { EXPECT_EQ(violation(small_plan), ""); }

// What the reader refuses by shape alone, the schema refuses too: both come from the same tables.
TEST(Schema, RefusesWhatTheReaderRefuses) {
  for (std::string added :
       {"stroes: {}\n", "drills: []\n", "drills: {}\n", "drills: {d: {verify: 10}}\n",
        "drills: {D: {verify: 10%}}\n", "drills: {d: {verify: 10%, verfiy: 5%}}\n",
        "groups: {g: {authority: db}}\n", "evidence: {formats: [pdf]}\n",
        "evidence: {sign: literal}\n", "objectives: {rpo: 1 hour}\n", "masks: {pii: {email: x}}\n",
        "runbooks: {r: {steps: [{run: x, manual: y}]}}\n", "runbooks: {r: {steps: [{rnu: x}]}}\n",
        "runbooks: {r: {steps: [{run: x, fail: y}]}}\n",
        "alerts: {critical: {on: [{disk: full}], send: all}}\n"}) {
    EXPECT_NE(violation(small_plan + added), "") << added;
    EXPECT_FALSE(read(small_plan + added).ok()) << added;
  }
  for (std::string check :
       {"{coutn: [users]}", "{tables: [a], sql: b}", "{sql: SELECT 1}", "{fresh: created_at}",
        "{sql: a, expect: 0, json: {}}", "{http: FETCH /x}", "{tables: users}"}) {
    auto text = replace_all(small_plan, "{tables: [users]}", check);
    EXPECT_NE(violation(text), "") << check;
    EXPECT_FALSE(read(text).ok()) << check;
  }
}

}  // namespace
}  // namespace lb::plan
