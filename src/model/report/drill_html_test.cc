#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "model/report/markup.h"
#include "model/report/report.h"
#include "model/report/samples.h"

namespace lb::report {
namespace {

bool holds(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

std::size_t count_of(const std::string& page, const std::string& text) {
  std::size_t count = 0;
  for (auto at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++count;
  return count;
}

// The first mistake in the markup: an element closed by another, a bare '&' or '<', an attribute
// without quotes. Nothing when the page is well formed (elements in the XML way).
std::optional<std::string> first_mistake(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < page.size(); ++at) {
    if (page[at] == '&') {
      const auto end = page.find(';', at);
      if (end == std::string::npos || end - at > 7) return "bare & at " + page.substr(at, 40);
    }
    if (page[at] == '>') return "bare > at " + page.substr(at, 40);
    if (page[at] != '<') continue;
    const auto end = page.find('>', at);
    if (end == std::string::npos) return "open tag at " + page.substr(at, 40);
    const std::string tag = page.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return "bare < in " + tag;
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "odd quotes in " + tag;
    at = end;
    if (tag[0] == '!') continue;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "closed wrongly: " + tag;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
      if (open.back() == "style") at = page.find("</style>", at) - 1;  // CSS has its own '>'
    }
  }
  if (!open.empty()) return "never closed: " + open.back();
  return std::nullopt;
}

TEST(DrillHtml, TellsOfPeopleDecisionsPredictionsAndTasks) {
  auto record = failing_drill();
  add_runbook(record);
  record.tasks[0].owner.clear();
  record.decisions[0].shown.push_back("data loss: <all>");
  const auto page = drill_html(record, {});
  EXPECT_FALSE(first_mistake(page)) << *first_mistake(page);
  for (const char* part : {"Follow-up tasks", "to be named", "ada (lead)", "did not take part",
                           "predicted 14.0 s, took 18.0 s", "data loss: &lt;all&gt;",
                           "Find out why step 3 (verify db) failed in the drill"})
    EXPECT_TRUE(holds(page, part)) << part;
  EXPECT_TRUE(holds(drill_html(passing_drill(), {}), "None follows from this drill."));
}

TEST(DrillHtml, AnAuditShowsEveryMomentAndHowToDrawThemAgain) {
  for (auto third : {record::Verdict::pass, record::Verdict::fail, record::Verdict::inconclusive}) {
    auto record = audit_drill(third);
    auto page = drill_html(record, {record});
    EXPECT_FALSE(first_mistake(page)) << *first_mistake(page);
    EXPECT_TRUE(holds(page, "Moments audited"));
    EXPECT_TRUE(holds(page, "--seed 4711 --at"));
    for (const auto& moment : record.audit->moments)
      EXPECT_TRUE(holds(page, format_time(moment.moment)));
    EXPECT_EQ(holds(page, "out of reach"), third == record::Verdict::fail);
    EXPECT_EQ(holds(page, "&lt;hole&gt;"), third != record::Verdict::pass);
    EXPECT_TRUE(holds(page, third == record::Verdict::pass ? "4 of 4" : "3 of 4"));
    EXPECT_FALSE(holds(page, "Measured data loss")) << "a lag is no loss";
    EXPECT_FALSE(holds(page, "Moment of loss"));
  }
  EXPECT_FALSE(holds(drill_html(passing_drill(), {}), "Moments audited"));
}

TEST(DrillHtml, TheMistakeFinderFindsMistakes) {
  EXPECT_FALSE(first_mistake("<a b=\"c\">x &amp; y<br/></a>"));
  for (const char* bad :
       {"<a>", "</a>", "<a><b></a></b>", "a & b", "<a b=\"c>x</a>", "a > b", "<a"}) {
    EXPECT_TRUE(first_mistake(bad)) << bad;
  }
}

TEST(DrillHtml, IsWellFormedForEveryVerdictAndLengthOfHistory) {
  for (const auto& record : {passing_drill(), failing_drill(), inconclusive_drill()}) {
    for (const int count : {0, 1, 2, 11, 12, 40}) {
      const auto mistake = first_mistake(drill_html(record, history_of(record, count)));
      EXPECT_FALSE(mistake) << record.id << " " << count << ": " << *mistake;
    }
  }
  const record::DrillRecord empty;
  const auto mistake = first_mistake(drill_html(empty, {}));
  EXPECT_FALSE(mistake) << *mistake;
}

TEST(DrillHtml, RefersToNothingOutsideAndRunsNoScript) {
  const std::string page = drill_html(failing_drill(), history_of(failing_drill(), 12));
  for (const char* outside : {"<script", "src=", "href=", "url(", "@import", "<link", "<img"}) {
    EXPECT_FALSE(holds(page, outside)) << outside;
  }
  EXPECT_TRUE(holds(page, "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"));
}

TEST(DrillHtml, HostileTextStaysText) {
  auto record = passing_drill();
  const std::string evil = "</title><svg onload=\"x\">&'\"\x01\xff";
  record.system = record.drill = record.reason = record.host = record.repository = evil;
  record.target = record.loss_note = record.rto_clock = record.rpo_clock = evil;
  for (auto& stage : record.stages) stage.name = stage.note = evil;
  for (auto& store : record.stores)
    store.store = store.kind = store.point = store.reached_note = evil;
  for (auto& check : record.checks) {
    check.suite = check.name = check.kind = check.expected = check.got = check.reason = evil;
    check.evidence = {evil};
  }
  record.isolation = {{evil}, 1, {evil}, evil};
  record.findings = {{evil, evil, evil}};
  record.journal = {evil};
  const std::string page = drill_html(record, {});
  const auto mistake = first_mistake(page);
  EXPECT_FALSE(mistake) << *mistake;
  EXPECT_FALSE(holds(page, "<svg onload"));
  EXPECT_TRUE(holds(page, "&lt;svg onload=&quot;x&quot;&gt;&amp;&#39;&quot;\\x01\\xff"));
}

TEST(DrillHtml, TellsTheVerdictByWordAndGivesTheReason) {
  EXPECT_TRUE(holds(drill_html(passing_drill(), {}), "<span>PASS</span>"));
  const std::string failed = drill_html(failing_drill(), {});
  EXPECT_TRUE(holds(failed, "<span>FAIL</span>"));
  EXPECT_TRUE(holds(failed, "1 failed, 1 could not run, 1 skipped of 8 checks"));
  EXPECT_TRUE(holds(drill_html(inconclusive_drill(), {}), "<span>INCONCLUSIVE</span>"));
}

TEST(DrillHtml, HeadNamesWhoWhenWhatAndTheNextDrill) {
  const std::string page = drill_html(passing_drill(), {});
  for (const char* fact :
       {"content-crew – drill full", "root (by hand)", "backup-1", "2026-11-21 08:00:00 UTC",
        "sha256:5f2c8d1e0a9b7c6d5e4f3a2b1c0d9e8f", "2027-02-19 08:00:00 UTC", "start of the drill",
        "/srv/backups/content-crew", "01kd2nj0c4r5t7w9y1z3b5d7fh"}) {
    EXPECT_TRUE(holds(page, fact)) << fact;
  }
}

TEST(DrillHtml, NoFigureWithoutItsClock) {
  const std::string page = drill_html(passing_drill(), {});
  EXPECT_TRUE(holds(page, "newest commit reached → the moment of loss"));
  EXPECT_TRUE(holds(page, "newest state reached → the moment of loss"));
  EXPECT_TRUE(holds(page, "start of the drill → the last check"));
  EXPECT_EQ(count_of(page, "start of this restore → the data ready to use"), 2u);
  EXPECT_TRUE(holds(page, ">Worst case<"));
  EXPECT_FALSE(holds(page, "redicted"));  // a drill measures; nothing was predicted here
  const auto later = drill_html(passing_drill(), history_of(passing_drill(), 3));
  EXPECT_TRUE(holds(later, ">Predicted<"));
  EXPECT_TRUE(holds(later, "the middle of the earlier drills that passed"));
}

TEST(DrillHtml, ShowsEvidenceReasonsAndStatesOfChecks) {
  const std::string page = drill_html(failing_drill(), {});
  EXPECT_TRUE(holds(page, "Suite db: 4 of 5 passed, 1 failed"));
  EXPECT_TRUE(holds(page, "Suite api: 0 of 2 passed, 1 could not run, 1 skipped"));
  EXPECT_TRUE(holds(page, "expected 0, got 3: rows of content_jobs without a user"));
  EXPECT_TRUE(holds(page, "id=8  user_id=&lt;script&gt;"));
  EXPECT_TRUE(holds(page, "<details open=\"open\">"));
  EXPECT_TRUE(holds(page, "1,204,551"));
}

TEST(DrillHtml, AMissingPartIsSaidNotLeftOut) {
  const std::string page = drill_html(inconclusive_drill(), {});
  EXPECT_TRUE(holds(page, "No check ran: nothing was proven by this drill."));
  EXPECT_TRUE(holds(page, "No isolation was recorded as in force."));
  EXPECT_TRUE(holds(page, "Outbound attempts were not counted."));
  EXPECT_TRUE(holds(page, "The sandbox of this drill was not removed"));
  EXPECT_TRUE(holds(page, "not scheduled"));
  EXPECT_TRUE(holds(page, "the recovery time could not be measured"));
}

TEST(DrillHtml, IsolationNamesWhatWasBlocked) {
  const std::string page = drill_html(passing_drill(), {});
  EXPECT_TRUE(
      holds(page, "2 outbound attempts were blocked (counted by nftables in the sandbox)."));
  EXPECT_TRUE(holds(page, "10.1.2.3:443 tcp"));
}

TEST(DrillHtml, AppendixTellsHowToCheckIt) {
  const std::string page = drill_html(passing_drill(), {});
  EXPECT_TRUE(holds(page, "lifeboat verify"));
  EXPECT_TRUE(holds(page, "lifeboat show 01kd2m8q6v3r5t7w9y1z3b5d7f"));
  EXPECT_TRUE(holds(page, "(reached) = 3s214ms."));
  EXPECT_TRUE(holds(page, "8 passed + 0 failed + 0 could not run + 0 skipped = 8."));
  EXPECT_TRUE(holds(page, "Drill full into sandbox"));
}

TEST(DrillHtml, HistoryShowsAtMostTwelveWithThisOneLastAndOnce) {
  const auto record = passing_drill();
  auto history = history_of(record, 14);
  history.push_back(record);  // callers may hand over the whole log
  auto later = record;
  later.id = "01later";
  later.started += std::chrono::hours(1);
  history.push_back(later);
  const std::string page = drill_html(record, history);
  EXPECT_TRUE(holds(page, "The last 12 drills"));
  EXPECT_TRUE(holds(page, "01kold11"));
  EXPECT_FALSE(holds(page, "01kold12"));
  EXPECT_FALSE(holds(page, "01later"));
  EXPECT_EQ(count_of(page, "<code>" + record.id + "</code>"), 1u);
  EXPECT_TRUE(holds(drill_html(record, {}), "This is the first drill of its name"));
}

TEST(DrillHtml, AFigureTheEvidenceDoesNotBearOutIsNamed) {
  auto record = passing_drill();
  record.measured_rto = Seconds(1);
  const std::string page = drill_html(record, {});
  EXPECT_TRUE(holds(page, "The recovery time is recorded as 1s, the evidence gives 22s290ms"));
  EXPECT_FALSE(holds(drill_html(passing_drill(), {}), "is recorded as"));
}

TEST(Markup, EscapesTextAndAttributesAndKeepsLines) {
  Markup out;
  out.open("a", {{"b", "\"<'\n"}}).text("1 < 2\n\t3").close();
  EXPECT_EQ(std::move(out).take(), "<a b=\"&quot;&lt;&#39;\n\">1 &lt; 2\n    3</a>\n");
}

TEST(DrillJson, IsTheRecordItself) {
  auto parsed = parse_json(drill_json(failing_drill()));
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  auto back = record::decode_drill(*parsed);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(drill_json(*back), drill_json(failing_drill()));
}

}  // namespace
}  // namespace lb::report
