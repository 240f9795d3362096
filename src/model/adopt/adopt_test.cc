#include <gtest/gtest.h>

#include "model/adopt/adopt_testing.h"
#include "model/plan/front_matter.h"

namespace lb::adopt {
namespace {

using testing::adopted;
using testing::plan_of;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Adopt, TurnsHeadingsNumbersBoxesAndFencesIntoARunbook) {
  auto plan = plan_of(
      "# Title\n"
      "## Database loss\n"
      "### Stop\n"
      "1. Tell the others\n"
      "2. Wait (critical)\n"
      "### Look\n"
      "- [ ] it runs\n"
      "- [ ] data is there (critical)\n"
      "```sh\n"
      "# Start it\n"
      "systemctl start app\n"
      "```\n");
  ASSERT_EQ(plan.runbooks.size(), 1U);
  const auto& runbook = plan.runbooks[0];
  EXPECT_EQ(runbook.name, "database-loss");
  ASSERT_EQ(runbook.steps.size(), 6U);
  EXPECT_EQ(runbook.steps[0].verb, "phase");
  EXPECT_EQ(runbook.steps[1].verb, "manual");
  EXPECT_EQ(runbook.steps[1].what.text, "Tell the others");
  EXPECT_TRUE(runbook.steps[2].critical);
  EXPECT_EQ(runbook.steps[2].what.text, "Wait");
  EXPECT_EQ(runbook.steps[4].verb, "checklist");
  EXPECT_EQ(runbook.steps[4].what.items[1].find("item")->text, "data is there");
  EXPECT_EQ(runbook.steps[5].verb, "run");
  EXPECT_EQ(runbook.steps[5].name, "Start it");
  EXPECT_EQ(runbook.steps[5].what.text, "systemctl start app");
  EXPECT_TRUE(runbook.steps[5].review);
}

TEST(Adopt, ReadsObjectivesOfTheSystemOfStoresAndOfScenarios) {
  auto plan = plan_of(
      "| Component | RPO | Rationale |\n|---|---|---|\n"
      "| Database | 2 hours | nobody minds |\n\n"
      "| Scenario | RTO |\n|---|---|\n| Table Loss | 30 min |\n\n"
      "- **RTO**: 4 hours\n\n"
      "## Scenario 1: Large Table Loss\n1. Look\n");
  EXPECT_EQ(plan.objectives.rto, Micros(4 * 3'600'000'000LL));
  ASSERT_NE(plan.store("db"), nullptr);
  EXPECT_EQ(plan.store("db")->objective.rpo, Micros(2 * 3'600'000'000LL));
  EXPECT_EQ(plan.store("db")->objective.why, "nobody minds");
  EXPECT_EQ(plan.runbook("large-table-loss")->objective.rto, Micros(1'800'000'000LL));
}

TEST(Adopt, WhatTheDocumentSaysOfItselfCountsForItsRunbooks) {
  auto plan = plan_of(
      "## Scenario 1: Fire\n1. Leave\n\n## Scenario 2: Flood\n1. Swim\n\n---\n\n"
      "**Document Version**: 1.4\n**Last Updated:** January 13, 2026\n"
      "**Review Cycle**: Quarterly\n**Classification**: Internal Use\n");
  ASSERT_EQ(plan.runbooks.size(), 2U);
  for (const auto& runbook : plan.runbooks) {
    const auto front = plan::front_matter_of(plan, runbook);
    EXPECT_EQ(front.version, "1.4");
    EXPECT_EQ(front.updated_text, "2026-01-13");
    EXPECT_EQ(front.classification, "internal");
    EXPECT_EQ(front.review->text, "quarterly");
  }
  auto odd = plan_of(
      "## Scenario 1: Fire\n1. Leave\n\n**Version**: PostgreSQL 15\n"
      "**Last Updated:** {date}\n**Classification**: blue\n");
  const auto front = plan::front_matter_of(odd, odd.runbooks[0]);
  EXPECT_EQ(front.version + front.updated_text + front.classification, "") << "none of it is known";
}

TEST(Adopt, ReadsPeople) {
  auto plan = plan_of(
      "## RACI\n\n| Task | Ops Lead | Owner |\n|---|---|---|\n| Go live | R | A/C |\n\n"
      "| Role | Primary | Secondary | Escalation |\n|---|---|---|---|\n"
      "| Ops Lead | ada@example.com | {second} | +49 30 1234567 |\n\n"
      "| Severity | Contact | SLA |\n|---|---|---|\n"
      "| P0 (all is lost) | Ops Lead + Owner | 15 min |\n| P2 | Next business day | 24 hours |\n");
  EXPECT_EQ(plan.raci_task("go live")->who('A'), std::vector<std::string>{"owner"});
  EXPECT_EQ(plan.raci_task("go live")->who('C'), std::vector<std::string>{"owner"});
  const auto* lead = plan.person("ops-lead");
  ASSERT_NE(lead, nullptr);
  EXPECT_EQ(lead->email, "ada@example.com");
  EXPECT_EQ(plan.person(lead->deputy)->full_name, "{second}");
  EXPECT_EQ(plan.person(lead->escalate)->phone, "+49 30 1234567");
  ASSERT_EQ(plan.escalation.size(), 2U);
  EXPECT_EQ(plan.escalation[0].to, (std::vector<std::string>{"ops-lead", "owner"}));
  EXPECT_EQ(plan.escalation[0].means, "all is lost");
  EXPECT_EQ(plan.escalation[1].from, plan::EscalationLevel::From::next_business_day);
}

TEST(Adopt, ReadsCollectionsAndEndpoints) {
  auto plan = plan_of(
      "Firestore holds it.\n\n| Collection | Priority | Impact |\n|---|---|---|\n"
      "| `users` | P0 | nobody gets in |\n\n"
      "| Endpoint | Expected | Validation |\n|---|---|---|\n"
      "| `/health` | 200 + `{ok:true}` | lives |\n| `POST /sign` | 401/403 | guards |\n");
  ASSERT_EQ(plan.stores[0].collections.size(), 1U);
  EXPECT_EQ(plan.stores[0].collections[0].priority, "P0");
  ASSERT_EQ(plan.suites.size(), 1U);
  const auto& first = std::get<plan::CheckHttp>(plan.suites[0].checks[0].what);
  EXPECT_EQ(first.path, "/health");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.expect_json[0].first, "$.ok");
  const auto& second = std::get<plan::CheckHttp>(plan.suites[0].checks[1].what);
  EXPECT_EQ(second.method, "POST");
  EXPECT_EQ(second.statuses, (std::vector<int>{401, 403}));
}

TEST(Adopt, ReadsSymptomsPreventionAndFailuresWithoutANumber) {
  auto plan = plan_of(
      "## If the disk is full\n**Symptoms:**\n- writes fail\n\n**Steps:**\n1. Make room\n\n"
      "**Prevention:**\n- watch it\n");
  ASSERT_EQ(plan.runbooks.size(), 1U);
  EXPECT_EQ(plan.runbooks[0].name, "the-disk-is-full");
  EXPECT_EQ(plan.runbooks[0].symptoms,
            (std::vector<std::string>{"the disk is full", "writes fail"}));
  EXPECT_EQ(plan.runbooks[0].prevention, std::vector<std::string>{"watch it"});
  ASSERT_EQ(plan.runbooks[0].steps.size(), 1U);
}

TEST(Adopt, ATestOfARestoreBecomesADrillWithChecksThatFitAnyData) {
  auto plan = plan_of(
      "- **RPO:** 1 hour (hourly backups + WAL)\n\n## Testing\nOf the PostgreSQL database.\n\n"
      "- **Monthly Restore Drill:** restore into staging\n"
      "- **Annual Audit:** verify PITR for 30 days\n"
      "- **Quarterly Failover Drill:** restore in the other region\n");
  ASSERT_EQ(plan.drills.size(), 2U);
  EXPECT_EQ(plan.drills[0].restore, std::vector<std::string>{"db"});
  EXPECT_EQ(plan.drills[0].checks, std::vector<std::string>{"restored-db"});
  ASSERT_TRUE(plan.drills[1].pitr.has_value());
  EXPECT_EQ(plan.drills[1].pitr->window, Micros(30 * 86'400'000'000LL));
  ASSERT_EQ(plan.tasks.size(), 1U) << "a failover is for people";
  EXPECT_TRUE(plan.store("db")->log_continuous);
  EXPECT_EQ(plan.store("db")->every->text, "hourly");
  auto log = plan_of("PostgreSQL.\n\n- **RPO:** 5 minutes with WAL\n");
  EXPECT_TRUE(log.store("db")->log_continuous && log.store("db")->every) << "a log needs points";
  auto files =
      plan_of("File storage is in ./f.\n\n**Weekly:**\n- Test the restore of file storage\n");
  ASSERT_EQ(files.drills.size(), 1U);
  EXPECT_EQ(files.drills[0].restore, std::vector<std::string>{"files"});
  EXPECT_EQ(plan_of("Firestore.\n\n**Weekly:**\n- Test the restore\n").drills.size(), 0U)
      << "what cannot be restored into a sandbox yet stays a task";
}

TEST(Adopt, KeepsPlaceholdersAsTheyAre) {
  auto plan = plan_of("## Export\n```bash\nexport.sh --project ${PROJECT_ID} --to <BUCKET>\n```\n");
  EXPECT_EQ(plan.runbooks[0].steps[0].what.text, "export.sh --project ${PROJECT_ID} --to <BUCKET>");
}

TEST(Adopt, AnEmbeddedDocumentKeepsItsLines) {
  auto out = adopted("# A\n## B\n```markdown\n# C\n## Scenario 1: D\n1. Do it\n```\n");
  EXPECT_TRUE(has(out.yaml, "- manual: Do it  # from doc.md:6\n")) << out.yaml;
  EXPECT_TRUE(has(out.yaml, "  d:  # from doc.md:5\n")) << out.yaml;
}

TEST(Adopt, NeverCopiesSecrets) {
  const char* texts[] = {
      "## A\n```sh\npsql postgres://ada:sesame99@db/x\n```\n",
      "## A\n```sh\ncurl -d '{\"password\":\"sesame99\"}' http://x/\n```\n",
      "## A\n```sh\nexport PGPASSWORD=sesame99\nmake restore\n```\n",
      "## A\n```yaml\npassword: sesame99\n```\n1. Do\n",
      "## A\n1. Use password=sesame99 to log in\n- [ ] token: x password: sesame99\n",
      "## password=sesame99\n1. Do\n\npassword: sesame99\n",
      "## A\n1. b\n\n| Role | Primary |\n|---|---|\n| password=sesame99 | postgres://a:sesame99@x "
      "|\n",
      "## A\n```sh\n# password=sesame99\nmake it # password=sesame99\n```\n",
      "| A | B |\n|---|---|\n| x | password=sesame99 |\n\n- **RPO:** 1 hour, password=sesame99\n",
      "## Links\n- [x](https://a:sesame99@example.com/)\n",
      "## Escalation\n| Severity | Contact | SLA |\n|---|---|---|\n| P0 (password=sesame99) | "
      "password=sesame99 | 1 h |\n",
  };
  for (const auto* text : texts) {
    auto out = adopted(text);
    EXPECT_FALSE(has(out.yaml, "sesame99")) << text << "\n" << out.yaml;
    for (const auto& piece : out.pieces) EXPECT_FALSE(has(piece.text, "sesame99")) << text;
    for (const auto& one : out.contradictions) EXPECT_FALSE(has(one.text, "sesame99")) << text;
  }
}

TEST(Adopt, SaysWhichSecretWasLeftOut) {
  auto out = adopted("## A\n```sh\nmake first\n\n# Log in\nlogin --x password=sesame99\n```\n");
  ASSERT_EQ(out.remarks.size(), 1U);
  EXPECT_EQ(out.remarks[0].line, 5U);
  EXPECT_TRUE(has(out.yaml, "- run: make first")) << "only the command with the secret stays out";
  EXPECT_TRUE(has(out.yaml, "the command at doc.md:5 holds what looks like a secret"));
}

TEST(Adopt, RefusesWhatIsNoDocument) {
  auto kind = [](const std::string& text) {
    auto out = adopt("x.md", text);
    return out.ok() ? "taken" : out.error().message();
  };
  EXPECT_EQ(kind(""), "it holds no text");
  EXPECT_EQ(kind(" \n\t\n"), "it holds no text");
  EXPECT_TRUE(has(kind(std::string("a\0b", 3)), "zero bytes"));
  EXPECT_TRUE(has(kind(std::string(10'000'000, 'x')), "more than 1.0 MiB"));
  std::string many;
  for (int i = 0; i < 12'000; ++i) many += "1. a\n";
  EXPECT_TRUE(has(kind(many), "more than 10000 headings, items and rows"));
  std::string steps = "## A\n```sh\n";
  for (int i = 0; i < 12'000; ++i) steps += "# a\nb\n";
  EXPECT_TRUE(has(kind(steps), "a plan may have 50,000"));
}

TEST(Adopt, TakesOddDocuments) {
  for (const std::string text :
       {"x", "no heading\n1. but a step\n", "#", "# \n## \n- \n1. \n```", "```\n", "|a|\n|-|\n",
        "- [ ]\n- [x]\n", "\xEF\xBB\xBF# A\r\n1. b\r\n", "# A\n\xFF\xFE\n1. b\xC3\n",
        "1. ```sh\n   make\n   ```\n", "> 1. quoted\n", "###### a\n# b\n### c\n1. d\n",
        "## all\n1. x\n\n| Severity | Contact | SLA |\n|-|-|-|\n| P0 | all | 1h |\n",
        "## 'a': \"b\" # c\n1. - x: [y] {z}\n", "# A\n1. x\xE2\x80\xA8y\xC2\x85z\n"}) {
    auto out = adopted(text);
    EXPECT_TRUE(valid_utf8(out.yaml)) << text;
  }
}

TEST(Adopt, ManyLinesTakeNoMoreThanTheirShareOfTime) {
  for (const std::string line :
       {"[", "`", "**", "| a |\n", "- [ ] [a](", "> ", "<<", "'", "\\\n"}) {
    std::string text;
    while (text.size() < 200'000) text += line;
    auto out = adopt("x.md", text);  // the time limit of the test is the judge
    if (out.ok()) {
      auto read = plan::read_plan("plan.yaml", out->yaml, nullptr);
      EXPECT_EQ(plan::format_mistakes(read.mistakes, false).substr(0, 500), "") << line;
    }
  }
}

TEST(Adopt, NamesStayNames) {
  auto plan = plan_of("## Überfall!\n1. a\n## Überfall?\n1. b\n## 漢字\n1. c\n## " +
                      std::string(200, 'x') + "\n1. d\n");
  EXPECT_EQ(plan.runbooks.size(), 4U);
}

}  // namespace
}  // namespace lb::adopt
