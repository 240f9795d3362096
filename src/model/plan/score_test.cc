#include "model/plan/score.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "foundation/base/text.h"
#include "model/plan/reader.h"

namespace lb::plan {
namespace {

const std::string ready = R"(version: 1
system: shop
objectives: {rto: 4h, rpo: 1h}
repository: {at: /backups, key: env:KEY, copies: [{at: /away}]}
stores: {db: {postgres: env:URL, every: hourly}}
targets: {sandbox: {isolate: network}, production: {protect: true}}
checks: {db: [{tables: [orders]}]}
drills:
  full: {every: quarterly, runbook: loss, into: sandbox, checks: [db]}
links: {strategy: ./backup-strategy.md, board: "https://example.com/a.b", kept: "in the safe, top"}
people: {lead: {email: lead@example.com, updated: 2026-10-01}}
runbooks:
  before: {owner: lead, updated: 2026-11-01, review: quarterly, classification: internal, steps: [
    {notify: {template: recovery-started, to: lead}}]}
  loss:
    symptoms: [queries fail]
    owner: lead
    updated: 2026-11-01
    review: quarterly
    classification: internal
    steps:
      - use: before
      - restore: {store: db, to: production}
      - verify: [db]
)";

// Four more kinds of failure.
std::string more_scenarios() {
  std::string out;
  for (const auto* name : {"fire", "flood", "theft", "mistake"}) {
    out += cat("  ", name, ": {symptoms: [", name,
               "], owner: lead, updated: 2026-11-01, review: quarterly, classification: internal,"
               " steps: [{manual: leave}, {notify: {template: customers, to: lead}}]}\n");
  }
  return out;
}

std::vector<ScoreItem> score(const std::string& text, const std::vector<std::string>& gone = {}) {
  auto read = read_plan("plan.yaml", text, nullptr);
  EXPECT_EQ(format_mistakes(read.mistakes, false), "");
  return score_of(read.plan, gone, parse_time("2026-11-28T00:00:00Z").take());
}

std::string missing_of(const std::vector<ScoreItem>& items) {
  std::string out;
  for (const auto& item : items) {
    for (const auto& line : item.missing) out += cat(item.what, ": ", line, "\n");
  }
  return out;
}

// `before` -> `after` in the plan that is ready: what is missing then.
std::string without(const std::string& before, const std::string& after) {
  auto text = ready + more_scenarios();
  auto at = text.find(before);
  EXPECT_NE(at, std::string::npos) << before;
  return missing_of(score(text.replace(at, before.size(), after)));
}

TEST(Score, APlanThatHasAllMissesNothing) {
  auto items = score(ready + more_scenarios());
  EXPECT_EQ(missing_of(items), "");
  EXPECT_EQ(items.size(), 11U);
}

TEST(Score, EachItemIsMissedByName) {
  EXPECT_EQ(missing_of(score(ready)),
            "failure scenarios: 4 more of at least 5: a runbook counts when symptoms: say how its "
            "failure shows\n");
  EXPECT_EQ(without("objectives: {rto: 4h, rpo: 1h}", "objectives: {rto: 4h}"),
            "targets (RPO, RTO): store db has no rpo\n");
  EXPECT_EQ(without("objectives: {rto: 4h, rpo: 1h}", "objectives: {rpo: 1h}").substr(0, 50),
            "targets (RPO, RTO): runbook loss has no rto\ntarget");
  EXPECT_EQ(without("      - use: before\n", "      - {run: make ready, review: required}\n"),
            "step-by-step recovery: runbook loss: nobody has read 1 command of it (review: "
            "required)\ncommunication templates: runbook loss tells nobody (notify:)\n");
  EXPECT_EQ(without("      - verify: [db]\n", ""),
            "automated health checks: runbook loss restores and looks at nothing after\n");
  EXPECT_EQ(without("every: quarterly, runbook: loss", "every: yearly, runbook: loss"),
            "drills, at least quarterly: no drill restores anything every quarter or more often\n");
  EXPECT_EQ(without("runbook: loss", "restore: db"),
            "drills, at least quarterly: runbook loss is in no drill (runbook:)\n");
  EXPECT_EQ(
      without(", copies: [{at: /away}]", ""),
      "runbooks everybody can read: they are in one place only: the repository has no copy\n");
  EXPECT_NE(without("key: env:KEY", "key: env:KEY, pages: sealed")
                .find("all are sealed: who has no key reads none"),
            std::string::npos);
}

TEST(Score, WhatIsOutOfDateIsNoBetterThanMissing) {
  EXPECT_EQ(without("updated: 2026-11-01", "updated: 2026-06-01"),
            "documents kept up to date: runbook before is stale: of 2026-06-01, to be read again "
            "quarterly\n");
  EXPECT_EQ(without("owner: lead, updated: 2026-11-01, review: quarterly, classification: internal",
                    "owner: lead"),
            "documents kept up to date: runbook before does not say: updated, review, "
            "classification\n");
  EXPECT_EQ(without("updated: 2026-10-01", "updated: 2025-10-01"),
            "contacts known to be right: lead is as of 2025-10-01, 423 days ago\n");
  EXPECT_EQ(without(", updated: 2026-10-01", ""),
            "contacts known to be right: lead does not say when it was last seen to be right "
            "(updated:)\n");
  EXPECT_EQ(missing_of(score(ready + more_scenarios(), {"strategy"})),
            "related documents: strategy: ./backup-strategy.md is not there\n");
}

// Who is called is reached, if by nobody of this program's.
TEST(Score, ATelephoneReachesPeople) {
  EXPECT_EQ(without("email: lead@example.com", "phone: \"+49 30 1\""), "");
  EXPECT_EQ(without("email: lead@example.com", "duty: looks after it"),
            "contacts known to be right: lead cannot be reached by anything\n");
}

TEST(Score, OnlyPathsAreLookedForAsFiles) {
  auto read = read_plan("plan.yaml", ready, nullptr);
  auto links = links_to_files(read.plan);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].first, "strategy");
}

// Whatever a plan holds, each line names something to do.
TEST(Score, TheExamplesAreScored) {
  for (const auto* name : {"content-crew", "core-db", "supabase-platform", "vete", "vidra"}) {
    std::ifstream file(cat(LIFEBOAT_EXAMPLES, "/", name, ".yaml"));
    std::stringstream text;
    text << file.rdbuf();
    auto items = score(text.str());
    EXPECT_EQ(items.size(), 11U) << name;
    EXPECT_TRUE(items[0].met()) << name << ": " << missing_of(items);
    EXPECT_EQ(items[1].what, "failure scenarios") << name;
  }
}

}  // namespace
}  // namespace lb::plan
