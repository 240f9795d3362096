#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

using record::CheckResult;
using record::CheckState;

static void write_state(Markup& out, CheckState state) {
  switch (state) {
    case CheckState::pass:
      return write_mark(out, "pass", "✓", "pass");
    case CheckState::fail:
      return write_mark(out, "fail", "✗", "fail");
    case CheckState::error:
      return write_mark(out, "warn", "!", "could not run");
    case CheckState::skipped:
      return write_mark(out, "note", "–", "skipped");
  }
}

static std::string or_dash(const std::string& text) { return text.empty() ? "–" : text; }

static void write_detail(Markup& out, const CheckResult& check) {
  out.open("tr", {{"class", "detail"}})
      .leaf("td", "")
      .open("td", {{"class", "detail-cell"}, {"colspan", "5"}});
  if (!check.reason.empty()) out.leaf("p", check.reason);
  if (check.newest) {
    out.leaf("p", cat("Newest row: ", moment_text(*check.newest)), {{"class", "small"}});
  }
  if (!check.evidence.empty()) {
    const bool passed = check.state == CheckState::pass;
    const auto lines = check.evidence.size();
    const std::string title = cat("Evidence, ", lines, lines == 1 ? " line" : " lines");
    // What went wrong is open from the start; the rest opens on demand and in print.
    if (passed) {
      out.open("details");
    } else {
      out.open("details", {{"open", "open"}});
    }
    out.leaf("summary", title).leaf("pre", join(check.evidence, "\n")).close();
  }
  out.close().close();
}

static std::string where(const CheckResult& check) {
  std::vector<std::string> parts = {check.kind};
  if (!check.store.empty()) parts.push_back(cat("store ", check.store));
  if (!check.place.empty()) parts.push_back(check.place);
  return join(parts, " · ");
}

static void write_check(Markup& out, const CheckResult& check) {
  const bool detail = !check.reason.empty() || !check.evidence.empty() || check.newest;
  out.open("tr", {{"class", detail ? "has-detail" : "plain"}}).open("td", {{"class", "tight"}});
  write_state(out, check.state);
  out.close().open("th", {{"scope", "row"}, {"class", "check"}}).text(check.name);
  if (check.critical) out.text(" ").leaf("span", "critical", {{"class", "mark note"}});
  out.single("br").leaf("span", where(check), {{"class", "small soft"}});
  out.close();
  out.leaf("td", or_dash(check.expected), {{"class", "value"}});
  out.leaf("td", or_dash(check.got), {{"class", "value"}});
  out.leaf("td", human_count(check.examined), {{"class", "number"}});
  out.leaf("td", human_duration(check.took), {{"class", "number"}}).close();
  if (detail) write_detail(out, check);
}

static std::string suite_caption(const std::string& suite, const Tally& tally) {
  std::string out = cat("Suite ", suite.empty() ? "without a name" : suite, ": ", tally.passed,
                        " of ", tally.total, " passed");
  if (tally.failed > 0) out += cat(", ", tally.failed, " failed");
  if (tally.errors > 0) out += cat(", ", tally.errors, " could not run");
  if (tally.skipped > 0) out += cat(", ", tally.skipped, " skipped");
  return out;
}

void write_checks(Markup& out, const View& view) {
  out.open("section").leaf("h2", "Checks");
  if (view.record.checks.empty()) {
    out.leaf("p", "No check ran: nothing was proven by this drill.");
  }
  for (const auto& suite : suites_of(view.record)) {
    std::vector<CheckResult> checks;
    for (const auto& check : view.record.checks) {
      if (check.suite == suite) checks.push_back(check);
    }
    open_table(out, suite_caption(suite, tally(checks)),
               {"Result", "Check", "Expected", "Got", ">Examined", ">Took"}, "checks");
    out.open("tbody");
    for (const auto& check : checks) write_check(out, check);
    out.close().close().close();
  }
  out.close();
}

}  // namespace lb::report
