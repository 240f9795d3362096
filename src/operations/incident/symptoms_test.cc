#include "operations/incident/symptoms.h"

#include "operations/incident/incident_testing.h"

namespace lb::incident {
namespace {

TEST(Symptoms, WordsAreBroughtToOneForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Queries failed", "query fail"},
      {"the query is failing!", "query fail"},
      {"DB is down", "databas unavail"},
      {"database unavailable", "databas unavail"},
      {"application crashes", "applic crash"},
      {"our app crashed", "applic crash"},
      {"Connections dropped", "connect drop"},
      {"cannot connect", "cannot connect"},
      {"files missing", "fil miss"},
      {"status", "status"},
      {"write failure, writing", "writ fail writ"},
      {"it is not on the", ""},
      {"größe 5xx", "größ 5xx"},
      {"", ""},
  };
  for (const auto& [text, stems] : cases) EXPECT_EQ(join(stems_of(text), " "), stems) << text;
}

const char* runbooks = R"(runbooks:
  db-loss:
    symptoms: [connection fails, queries return errors, application crashes]
    steps: [{manual: x}]
  files:
    symptoms: [file writes fail, files missing from storage]
    steps: [{manual: x}]
  billing:
    symptoms: [duplicate billing events, multiple subscription charges]
    steps: [{manual: x}]
  silent: {steps: [{manual: x}]}
)";

TEST(Symptoms, TheRunbookThatFitsComesFirst) {
  auto plan = testing::plan_of(runbooks);
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"queries fail"}, "db-loss:queries,fail files:fail"},
      {{"Users report missing files"}, "files:missing,files"},
      {{"writes failing"}, "files:writes,failing db-loss:failing"},
      {{"customers were charged twice", "duplicated events"}, "billing:charged,duplicated,events"},
      {{"FAIL fail failed"}, "db-loss:fail files:fail"},
      {{"nothing of the kind"}, ""},
      {{}, ""},
      {{"the of it"}, ""},
  };
  for (const auto& [seen, expected] : cases) {
    std::string out;
    for (const auto& one : suggest(plan, seen))
      out += cat(out.empty() ? "" : " ", one.runbook, ":", join(one.words, ","));
    EXPECT_EQ(out, expected) << join(seen, "; ");
  }
  EXPECT_EQ(suggest(plan, {"queries fail"}).at(0).symptom, "queries return errors");
  EXPECT_TRUE(suggest(testing::plan_of(""), {"queries fail"}).empty());
}

}  // namespace
}  // namespace lb::incident
