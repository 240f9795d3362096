#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/report.h"
#include "model/report/samples.h"

namespace lb::report {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t width_of(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::vector<std::string> lines_of(const std::string& text) {
  auto lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

TEST(DrillTable, OneLineAMomentOfAnAudit) {
  const auto lines = lines_of(drill_table(audit_drill(record::Verdict::fail), false));
  EXPECT_EQ(lines.at(0),
            "Moment                Result  Commit reached              Lag  Replay   Took");
  EXPECT_EQ(lines.at(1),
            "2026-11-20T09:46:40Z  PASS    2026-11-20T09:46:39.75Z  250 ms   1.2 s  4.5 s");
  EXPECT_EQ(lines.at(3),
            "2026-11-20T23:40:00Z  FAIL    –                             –       –  4.5 s");
  EXPECT_NE(lines.at(5).find("seed 4711"), std::string::npos);
  for (const auto& line : lines) EXPECT_LE(width_of(line), 100u) << line;
}

TEST(DrillMarkdown, AnAuditNamesEveryMomentAndTheStretchOutOfReach) {
  const auto text = drill_markdown(audit_drill(record::Verdict::fail), {});
  EXPECT_TRUE(holds(text, "## Moments audited"));
  EXPECT_TRUE(holds(text, "db cannot go to any moment between"));
  EXPECT_TRUE(holds(text, "\\<hole\\>"));
  EXPECT_TRUE(holds(text, "--seed 4711"));
  EXPECT_FALSE(holds(text, "Moment of loss"));
  EXPECT_FALSE(holds(text, "Points used"));
}

TEST(DrillTable, OneLineAStoreAndTheVerdictLast) {
  const auto lines = lines_of(drill_table(passing_drill(), false));
  EXPECT_EQ(lines.at(0),
            "Store        Recovery point              Measured loss   Restore time  Checks");
  EXPECT_EQ(lines.at(1),
            "db           2026-11-21T07:59:56Z        3.2 s of 24 h   9.8 s of 4 h  5 of 5");
  EXPECT_EQ(lines.at(2),
            "media        2026-11-21T07:30:10Z  29 min 50 s of 24 h   4.4 s of 4 h  1 of 1");
  EXPECT_EQ(lines.at(3),
            "whole drill                        29 min 50 s of 24 h  22.3 s of 8 h  8 of 8");
  EXPECT_EQ(lines.back(), "PASS  all 8 checks passed, every objective met");
}

TEST(DrillTable, FitsAHundredColumnsWhateverTheTextsAre) {
  auto record = failing_drill();
  record.stores[0].store = std::string(200, 's') + "é\x01";
  record.stores[0].target_rpo = Micros(123'456'789'123'456);
  record.stores[1].checks_total = 123'456'789'012;
  for (auto& check : record.checks) check.store.clear();
  record.checks[4].reason = std::string(300, 'r');
  record.reason = "one two " + join(std::vector<std::string>(60, "three"), " ");
  for (const auto& line : lines_of(drill_table(record, false))) {
    EXPECT_LE(width_of(line), 100u) << line;
  }
  EXPECT_EQ(lines_of(drill_table(record, false)).back(), "FAIL");
}

TEST(DrillTable, ColourAddsOnlyEscapesAndIsOffByChoice) {
  const std::string plain = drill_table(failing_drill(), false);
  const std::string colored = drill_table(failing_drill(), true);
  EXPECT_FALSE(holds(plain, "\x1b"));
  EXPECT_TRUE(holds(colored, "\x1b[31mFAIL\x1b[0m"));
  EXPECT_TRUE(holds(plain, "fail  db / orphaned jobs: expected 0, got 3"));
  EXPECT_TRUE(holds(plain, "error  api / GET /health: connection refused"));
}

TEST(DrillTable, ControlBytesOfOthersNeverReachTheTerminal) {
  auto record = failing_drill();
  record.reason = "\x1b[2J gone";
  record.checks[4].reason = "\x1b]0;title\x07";
  record.stores[0].store = "db\x1b[31m";
  EXPECT_FALSE(holds(drill_table(record, false), "\x1b"));
}

TEST(DrillTable, WhatIsNotKnownIsSaid) {
  auto record = inconclusive_drill();
  record.stores[0].reached.reset();
  record.stores[0].measured_rpo.reset();
  const auto text = drill_table(record, false);
  EXPECT_TRUE(holds(text, "not known"));
  EXPECT_TRUE(holds(text, "not measured"));
  EXPECT_EQ(lines_of(text).back(), "INCONCLUSIVE");
}

TEST(DrillMarkdown, HoldsEverySectionAndFigure) {
  const auto text = drill_markdown(failing_drill(), history_of(failing_drill(), 3));
  for (const char* part :
       {"# content-crew – drill full: FAIL", "## Objectives", "## Points used", "## Stages",
        "## History", "## Checks", "## Isolation", "## Issues and recommendations", "## Clean-up",
        "| media | Data loss | newest state reached → the moment of loss | 15 min | 1 h | 62 min | "
        "– | "
        "29 min 50 s | -14 min 50 s | missed |",
        "Why it matters:", "What to do:", "10.1.2.3:443 tcp", "Evidence of db / orphaned jobs",
        "lifeboat verify"}) {
    EXPECT_TRUE(holds(text, part)) << part;
  }
}

TEST(DrillMarkdown, TellsOfPeopleDecisionsPredictionsAndTasks) {
  auto record = failing_drill();
  add_runbook(record);
  const auto text = drill_markdown(record, {});
  for (const char* part :
       {"| 2 | restore db to production | dba | done | 9.0 s | 12.0 s | db into the sandbox |",
        "Of the 2 steps of which both are known: predicted 14.0 s, took 18.0 s.",
        "| lead | decides | 1 | ada (lead) |", "| dba | does | 2 | did not take part |",
        "| team | is told | 5 | not told: messages are held |", "step 1, lead decides: approved, ",
        "by ada (lead) (go)", "  - target: sandbox",
        "step 3 (verify db) failed: 4 of 5 checks passed", "## Follow-up tasks",
        "| Find out why step 3 (verify db) failed in the drill | dba | 2026-12-01 |"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
  for (const auto& finding : record.findings) {
    const bool task = holds(text, cat("Mend what drill full found: ", finding.text).substr(0, 60));
    EXPECT_EQ(task, finding.severity != "note") << finding.text;
  }
}

TEST(DrillMarkdown, TablesKeepTheirColumnsWhateverTheTextsAre) {
  auto record = failing_drill();
  for (auto& check : record.checks)
    check.name = check.got = check.reason = "a | b\n| c `x` <b> [l](u)";
  const auto text = drill_markdown(record, {});
  EXPECT_FALSE(holds(text, "<b>"));
  for (const auto& line : lines_of(text)) {
    if (line.rfind("| db |", 0) != 0 || !holds(line, "120 ms")) continue;
    const auto unescaped = replace_all(line, "\\|", "");
    EXPECT_EQ(std::count(unescaped.begin(), unescaped.end(), '|'), 9) << line;
  }
}

TEST(DrillMarkdown, AnEmptyRecordSaysThatNothingWasProven) {
  const auto text = drill_markdown(record::DrillRecord{}, {});
  EXPECT_TRUE(holds(text, "No check ran: nothing was proven by this drill."));
  EXPECT_TRUE(holds(text, "No store was restored."));
}

}  // namespace
}  // namespace lb::report
