#include "model/report/runbook_page.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/codec/xml.h"
#include "model/plan/reader.h"
#include "model/report/runbook_index.h"
#include "model/report/runbook_steps.h"

namespace lb::report {
namespace {

const std::string head = R"(version: 1
system: shop
objectives: {rto: 4h, rpo: 1h}
repository: {at: /backups, key: env:KEY, copies: [{at: "s3://away/shop"}]}
stores:
  db: {postgres: env:DATABASE_URL, every: hourly}
  media: {files: /srv/media, every: hourly}
targets:
  production: {protect: true, url: "https://shop.example.com"}
checks:
  db:
    - name: "orders <b>"
      sql: "SELECT count(*) FROM orders WHERE x = 'y'"
      expect: 0
      critical: true
  api:
    - http: GET /health
    - {http: POST /login, json: {user: a}, save: {token: $.token}}
    - {http: GET /me, bearer: $token}
people:
  lead: {name: "A. & B.", email: lead@example.com, phone: "+1 555", deputy: other, duty: decides,
         updated: 2025-12-24, review: quarterly}
  other: {slack: "@other"}
  unseen: {email: unseen@example.com}
raci:
  go live: {lead: A, other: [R, C]}
links:
  board: "https://example.com/board"
  strategy: ./backup-strategy.md
  odd: "javascript:alert(1) "
)";

struct Made {
  plan::Plan plan;
  std::string html, markdown;
  std::vector<PageStep> steps;
};

Made made(const std::string& steps, const std::string& more = "") {
  auto read = plan::read_plan(
      "plan.yaml",
      head + "runbooks:\n  loss:\n    symptoms: [it <fails>]\n" +
          "    owner: lead\n    review: quarterly\n    version: 1.4\n" +
          "    updated: 2026-01-13\n    classification: internal\n    steps:\n" + steps + more,
      nullptr);
  EXPECT_EQ(plan::format_mistakes(read.mistakes, false), "");
  Made out;
  out.plan = std::move(read.plan);
  RunbookPage page{out.plan, *out.plan.runbook("loss"), "abc123", "lifeboat 9", from_micros(0)};
  out.html = runbook_html(page);
  out.markdown = runbook_markdown(page);
  out.steps = page_steps(page);
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(RunbookPage, SaysWhoseItIsAndWhatItAimsAt) {
  auto page = made("      - manual: look\n");
  for (const auto* part : {"shop", "loss", "abc123", "lifeboat 9", "4 h", "1 h", "quarterly",
                           "/backups", "s3://away/shop", "https://example.com/board"}) {
    EXPECT_TRUE(has(page.html, part)) << part;
  }
  EXPECT_TRUE(has(page.html, "it &lt;fails&gt;"));
  EXPECT_TRUE(has(page.html, "A. &amp; B., +1 555, lead@example.com"));
  EXPECT_TRUE(has(page.html, "@other")) << "the deputy of somebody who is named";
  EXPECT_FALSE(has(page.html, "unseen@example.com"));
  EXPECT_TRUE(has(page.markdown, "| go live | A | RC |"));
}

TEST(RunbookPage, EveryVerbSaysWhatToDo) {
  auto page = made(
      "      - ask: {failed_at: time}\n"
      "      - choose: {store: db, before: $failed_at}\n"
      "      - preflight: [disk, network]\n"
      "      - notify: {template: note, to: [lead, all]}\n"
      "      - {run: systemctl stop shop, name: Stop the shop, undo: systemctl start shop, probe: "
      "pgrep "
      "shop, limit: 5m, fail: {retry: 2, wait: 10s}, by: lead, review: required}\n"
      "      - gate: {task: go live, show: [point, data_loss]}\n"
      "      - restore: {store: db, to: production, how: beside-then-swap, at: $failed_at}\n"
      "      - restore: {store: media, to: production, mode: merge}\n"
      "      - verify: [db]\n"
      "      - wait: {http: GET /health, limit: 5m}\n"
      "      - wait: {for: 30m}\n"
      "      - checklist: [a, {item: b, critical: true}]\n"
      "      - banner: DO NOT PAY\n"
      "      - {manual: pull the plug, critical: true, when: it burns}\n"
      "      - query: {store: db, sql: SELECT 1, expect: 1}\n"
      "      - status: [cloud]\n"
      "      - switch: {to: production, run: ./dns.sh}\n"
      "      - rotate: all\n"
      "      - free: [logs]\n"
      "      - assess: {store: db}\n"
      "      - bisect: {store: db, check: orders}\n"
      "      - watch: {check: orders, for: 1h}\n"
      "      - timer: start\n"
      "      - document: what was done\n"
      "      - postmortem: post-mortem\n"
      "      - provision: ./new.sh\n"
      "      - task: tidy\n"
      "      - check: orders\n",
      "probes: {cloud: \"https://status.example.com/x\"}\n"
      "tasks: {tidy: {run: make tidy, why: it is due}}\n"
      "templates: {note: {subject: Down, body: \"{system} is down\", approve: lead}}\n");
  EXPECT_EQ(page.steps.size(), 28U);
  for (const auto& step : page.steps) EXPECT_FALSE(step.title.empty()) << step.number;
  EXPECT_EQ(page.steps[0].answers, std::vector<std::string>{"failed at (date, time, zone)"});
  EXPECT_EQ(page.steps[4].command, "systemctl stop shop");
  EXPECT_TRUE(page.steps[4].review);
  EXPECT_EQ(page.steps[5].title, "Stop: lead decides (go live)");
  EXPECT_TRUE(page.steps[5].decision);
  EXPECT_TRUE(
      has(page.steps[6].by_hand.commands, "lifeboat restore db --to /srv/restored-db --at TIME"));
  EXPECT_TRUE(has(join(page.steps[6].by_hand.words, " "), "Never drop it first"));
  EXPECT_EQ(page.steps[8].boxes.size(), 1U);
  EXPECT_TRUE(page.steps[8].boxes[0].critical);
  EXPECT_TRUE(has(page.steps[8].by_hand.commands,
                  R"(-c 'SELECT count(*) FROM orders WHERE x = '\''y'\''')"));
  EXPECT_TRUE(has(page.steps[9].by_hand.commands, "curl -fsS 'https://shop.example.com/health'"));
  EXPECT_TRUE(page.steps[12].loud);
  EXPECT_TRUE(page.steps[13].critical);
  for (const auto* part : {"systemctl start shop", "pgrep shop", "5 min", "try 2 times more",
                           "it burns", "{system} is down", "https://status.example.com/x",
                           "./dns.sh", "make tidy", "not reviewed yet", "./new.sh", "lead (A. "}) {
    EXPECT_TRUE(has(page.html, part)) << part;
    EXPECT_TRUE(has(replace_all(page.markdown, "\\", ""), part)) << part;
  }
}

TEST(RunbookPage, PromisesNothingThatTheProgramDoesNotDo) {
  auto page = made("      - restore: {group: all-of-it, to: production}\n      - verify: [api]\n",
                   "groups: {all-of-it: {stores: [db, media]}}\n");
  EXPECT_EQ(page.steps[0].by_hand.commands,
            "lifeboat restore db --to /srv/restored-db\nlifeboat restore media --to "
            "/srv/restored-media");
  EXPECT_EQ(page.steps[1].boxes.size(), 3U);
  EXPECT_EQ(page.steps[1].by_hand.commands, "curl -fsS 'https://shop.example.com/health'")
      << "a request with a body or a token is no single line";
  auto text = replace_all(head, "media: {files: /srv/media", "media: {redis: env:REDIS");
  auto read = plan::read_plan(
      "p.yaml", text + "runbooks: {a: {steps: [{restore: {store: media, to: production}}]}}\n",
      nullptr);
  ASSERT_EQ(plan::format_mistakes(read.mistakes, false), "");
  auto steps = page_steps({read.plan, read.plan.runbooks[0], "", "", from_micros(0)});
  EXPECT_EQ(steps[0].by_hand.commands, "");
  EXPECT_TRUE(has(steps[0].by_hand.words[0], "tools of its own kind (redis)"));
}

TEST(RunbookPage, WritesOutWhatIsUsedWithTheNumbersOfARun) {
  auto page = made(
      "      - phase: First\n      - manual: one\n      - {use: other, with: {where: here}}\n"
      "      - parallel: [{manual: left}, {manual: right}]\n      - manual: last\n",
      "  other:\n    parameters: {where: text}\n    steps: [{phase: Inside}, {manual: two}]\n");
  std::vector<std::string> titles;
  for (const auto& step : page.steps)
    titles.push_back(cat(step.number, "/", step.depth, " ", step.title));
  EXPECT_EQ(titles, (std::vector<std::string>{
                        "0/0 First", "1/0 one", "2/0 The steps of runbook other", "0/1 Inside",
                        "3/1 two", "4/0 Side by side", "5/1 left", "6/1 right", "7/0 last"}));
  EXPECT_TRUE(has(page.html, "here"));
}

TEST(RunbookPage, ThePageIsOneWholeDocumentWithoutOutsideReferences) {
  auto page = made(
      "      - manual: \"<script>alert(1)</script> & \\\"quotes\\\"\"\n"
      "      - run: \"echo '```' && echo <x>\"\n");
  auto body = page.html.substr(page.html.find("<html"));
  auto parsed = parse_xml(body);
  EXPECT_TRUE(parsed.ok()) << parsed.error().text();
  for (const auto* part : {"<script", "src=", "<link", "url("})
    EXPECT_FALSE(has(page.html, part)) << part;
  EXPECT_TRUE(has(page.markdown, "  ````\n  echo '```'"))
      << "the fence is longer than what it holds";
}

TEST(RunbookPage, OnlyLinksThatABrowserCanFollowAreLinks) {
  auto page = made("      - manual: one\n");
  EXPECT_TRUE(has(page.html, "<a href=\"https://example.com/board\" rel=\"noreferrer\">"));
  EXPECT_FALSE(has(page.html, "href=\"./backup-strategy.md\""));
  EXPECT_FALSE(has(page.html, "href=\"javascript"));
  EXPECT_TRUE(has(page.html, "javascript:alert(1)")) << "it is text";
}

TEST(RunbookPage, SaysHowOldItIsAndWhoMayReadIt) {
  auto page = made("      - {manual: one, by: lead}\n");
  for (const auto* part : {"Version", "1.4", "Updated", "2026-01-13", "Read again", "quarterly",
                           "Classification", "internal"}) {
    EXPECT_TRUE(has(page.html, part)) << part;
    EXPECT_TRUE(has(page.markdown, part)) << part;
  }
  EXPECT_TRUE(has(page.html, "As of")) << "how old what is known of the people is";
  EXPECT_TRUE(has(page.html, "2025-12-24"));
}

TEST(RunbookIndex, LinksWhatLiesOpenAndSaysWhereTheRestIs) {
  auto page = made("      - manual: one\n",
                   "  secret: {classification: confidential, steps: [{manual: two}]}\n"
                   "  user: {steps: [{parallel: [{manual: three}, {use: secret}]}]}\n"
                   "  ring: {steps: [{use: loss}]}\n");
  RunbookIndex index{page.plan, "abc123", "lifeboat 9", from_micros(0)};
  auto html = runbook_index_html(index);
  auto parsed = parse_xml(html.substr(html.find("<html")));
  EXPECT_TRUE(parsed.ok()) << parsed.error().text();
  EXPECT_TRUE(has(html, "<a href=\"loss.html\">loss</a>"));
  EXPECT_TRUE(has(html, "href=\"ring.html\""));
  EXPECT_FALSE(has(html, "secret")) << "its name may tell";
  EXPECT_FALSE(has(html, "user")) << "its page shows steps of one that is confidential";
  EXPECT_TRUE(has(html, "2 more runbooks are sealed: with the key"));
  EXPECT_TRUE(has(html, "it &lt;fails&gt;"));
  EXPECT_TRUE(has(html, "These pages are not sealed"));
  auto markdown = runbook_index_markdown(index);
  EXPECT_TRUE(has(markdown, "| [loss](loss.md) |"));
  EXPECT_TRUE(has(markdown, "abc123"));
}

}  // namespace
}  // namespace lb::report
