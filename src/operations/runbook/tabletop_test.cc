#include "operations/runbook/tabletop.h"

#include <fstream>
#include <sstream>

#include "foundation/base/text.h"
#include "model/plan/never_passing.h"
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

class Walking : public testing::RunbookTest {
 protected:
  Walking() {
    looks.command_missing = [](const std::string& command) {
      return command.starts_with("docker") ? std::string("docker: not found") : std::string();
    };
    looks.place_missing = [](const plan::Store& store, const plan::Target& target) {
      return target.name == "staging" ? cat("no place for ", store.name) : std::string();
    };
    looks.unreachable = [](const std::string& person) {
      return person == "management" ? std::string("no address") : std::string();
    };
  }
  std::vector<std::string> findings(const std::string& rest, const std::string& runbook = "main") {
    use(rest, runbook);
    std::vector<std::string> out;
    for (const auto& finding : walk(plan, script, looks).findings) {
      bool fails = finding.weight == TabletopFinding::Weight::fails;
      out.push_back(cat(finding.step, fails ? " fails " : " warns ", finding.text));
    }
    return out;
  }
  TabletopLooks looks;
};

using Lines = std::vector<std::string>;

TEST_F(Walking, ARunbookThatWorksHasNothingToFind) {
  EXPECT_EQ(findings(R"(runbooks:
  main:
    steps:
      - ask: {failed_at: time}
      - choose: {store: db, before: $failed_at}
      - {run: make stop, probe: "make stopped", by: lead}
      - gate: {approve: lead, show: [point]}
      - restore: {store: db, to: production, at: $point}
)"),
            Lines{});
}

TEST_F(Walking, WhatCannotWorkIsListed) {
  EXPECT_EQ(
      findings(R"(runbooks:
  main:
    steps:
      - restore: {store: db, to: production, at: $point}
      - {run: docker compose stop api}
      - restore: {store: db, to: staging}
      - notify: {template: recovery-started, to: management}
      - {run: a, probe: b, fail: {goto: nowhere}}
      - gate: {task: nothing}
      - {run: ls, probe: b, review: required}
)"),
      (Lines{"1 fails $point has no value by then",
             "1 warns nobody decides before it: there is no gate", "2 fails docker: not found",
             "2 warns it has no probe: after a crash a person is asked whether it happened",
             "3 fails no place for db", "4 fails management cannot be reached: no address",
             "5 fails fail: goto nowhere: no step has that name",
             "6 fails nobody decides: give approve:, or task: of a line with an A",
             "7 warns nobody has read it yet (review: required)"}));
}

TEST_F(Walking, WhatPassesInADrillOnlyIsSaid) {
  use(R"(checks:
  web: [{name: quiet, connect: db}, {http: GET /}]
  db: [{tables: [t]}]
runbooks:
  main:
    steps:
      - verify: [db]
      - verify: [db, web]
      - verify: all
      - parallel: [{check: quiet}, {watch: {check: quiet, for: 1h}}]
      - check: GET /
)",
      "main");
  for (auto& suite : plan.suites) {
    for (auto& check : suite.checks) {
      if (check.name == "quiet") check.what = plan::CheckLogs{"api", {}, {}};
    }
  }
  std::vector<std::size_t> steps;
  for (const auto& finding : walk(plan, script, looks).findings) {
    steps.push_back(finding.step);
    EXPECT_EQ(finding.weight, TabletopFinding::Weight::fails);
    EXPECT_EQ(finding.text,
              "suite web asks for the log of api, which is known in a drill only: give it a suite "
              "without logs:");
  }
  EXPECT_EQ(steps, (std::vector<std::size_t>{2, 3, 5, 6}));
  auto notes = plan::never_passing(plan);
  ASSERT_EQ(notes.size(), 4u);
  EXPECT_EQ(notes[0].text,
            "verify: suite web asks for the log of api, which is known in a drill only");
  EXPECT_GT(notes[0].place.line, 0u);
}

TEST_F(Walking, WhatCallsLifeboatSaysSo) {
  EXPECT_EQ(findings(R"(runbooks:
  main:
    steps:
      - {run: lifeboat verify, probe: "true"}
      - {run: "cd /x && /usr/bin/lifeboat verify", probe: "true", key: true}
)"),
            Lines{"1 warns commands are not given the repository's key: to call lifeboat add key: "
                  "true"});
}

TEST_F(Walking, AJumpNeedsAWayThere) {
  EXPECT_EQ(findings(R"(runbooks:
  inner: {steps: [{manual: a, name: inside}, {manual: b, fail: {goto: after}}]}
  main:
    steps:
      - {manual: c, fail: {goto: inside}}
      - use: inner
      - {parallel: [{manual: d, fail: {goto: after}}]}
      - {manual: e, name: after}
)"),
            (Lines{"1 fails fail: goto inside: that step stands in another group of steps",
                   "6 fails fail: goto after: that step stands in another group of steps"}));
}

TEST_F(Walking, WhatIsNotBuiltIsSaidAndNotReplaced) {
  EXPECT_EQ(findings(R"(runbooks:
  main:
    steps:
      - bisect: {store: db, check: nothing}
      - choose: {store: db, prefer: clean}
      - gate: {approve: lead}
      - restore: {store: db, to: production, how: instant}
)"),
            (Lines{"1 fails the plan has no suite and no check 'nothing'",
                   "4 fails not supported yet: instant restore"}));
}

TEST_F(Walking, AnAssessmentGivesItsVariableAndNeedsItsPlace) {
  EXPECT_EQ(findings(R"(runbooks:
  main:
    steps:
      - banner: "found: $damage"
      - assess: {store: db}
      - banner: "found: $damage"
      - assess: {store: db, against: staging}
)"),
            (Lines{"1 fails $damage has no value by then", "4 fails no place for db"}));
}

TEST_F(Walking, ParametersCountWhereTheyAreGiven) {
  constexpr const char* inner =
      "runbooks:\n  inner: {parameters: {when: time}, steps: [{choose: {store: db, at: $when}}]}\n";
  EXPECT_EQ(findings(cat(inner, "  main: {steps: [{use: inner, with: {when: latest}}]}\n")),
            Lines{});
  EXPECT_EQ(findings(cat(inner, "  main: {steps: [{use: inner, with: {when: $failed_at}}]}\n")),
            Lines{"1 fails $failed_at has no value by then"});
}

// The plans of five real systems: every runbook is walked, and nothing in it fails but what is not
// built yet, which says so.
class ExampleRunbooks : public ::testing::TestWithParam<std::string> {};

TEST_P(ExampleRunbooks, WorkButForWhatIsNotBuilt) {
  std::ifstream file(cat(LIFEBOAT_EXAMPLES, "/", GetParam(), ".yaml"));
  std::ostringstream text;
  text << file.rdbuf();
  auto read = plan::read_plan(GetParam(), text.str(), nullptr);
  ASSERT_EQ(plan::format_mistakes(read.mistakes, false), "");
  ASSERT_FALSE(read.plan.runbooks.empty());
  TabletopLooks looks;
  looks.command_missing = [](const std::string&) { return std::string(); };
  looks.place_missing = [](const plan::Store&, const plan::Target&) { return std::string(); };
  looks.unreachable = [](const std::string&) { return std::string(); };
  for (const auto& runbook : read.plan.runbooks) {
    std::map<std::string, std::string> given;
    for (const auto& parameter : runbook.parameters)
      given[parameter.name] = parameter.kind == "time" ? "latest" : "production";
    auto script = make_script(read.plan, runbook.name, given);
    ASSERT_TRUE(script.ok()) << runbook.name << ": " << script.error().text();
    auto table = walk(read.plan, *script, looks);
    EXPECT_FALSE(table.steps.empty()) << runbook.name;
    for (const auto& finding : table.findings) {
      if (finding.weight == TabletopFinding::Weight::warns) continue;
      bool not_built = finding.text.starts_with("not supported yet: ");
      EXPECT_TRUE(not_built) << runbook.name << " step " << finding.step << " ("
                             << finding.place.text() << "): " << finding.text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExampleRunbooks,
                         ::testing::Values("content-crew", "vidra", "vete", "supabase-platform",
                                           "core-db"),
                         [](const auto& test) { return replace_all(test.param, "-", "_"); });

}  // namespace
}  // namespace lb::runbook
