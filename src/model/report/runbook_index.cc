#include "model/report/runbook_index.h"

#include "foundation/base/text.h"
#include "model/plan/front_matter.h"
#include "model/report/markdown_text.h"
#include "model/report/markup.h"
#include "model/report/runbook_style.h"
#include "model/report/style.h"

namespace lb::report {

namespace {

struct Entry {
  std::string name, symptoms, target, owner, updated;
};

std::vector<Entry> entries_of(const plan::Plan& plan) {
  std::vector<Entry> out;
  for (const auto& runbook : plan.runbooks) {
    if (!plan::page_lies_open(plan, runbook)) continue;
    auto rto = runbook.objective.rto ? runbook.objective.rto : plan.objectives.rto;
    out.push_back({runbook.name, join(runbook.symptoms, "; "), rto ? human_duration(*rto) : "",
                   runbook.owner, plan::front_matter_of(plan, runbook).updated_text});
  }
  return out;
}

// Who finds these pages knows nothing of the program, and the program did not seal them.
std::vector<std::string> warnings() {
  return {
      "These pages are not sealed: whoever can write to this place can change them. lifeboat "
      "verify "
      "compares them with the sealed record of the same name. Without the key, compare them with "
      "those in another copy before you follow them.",
      "The newest folder counts. Restoring needs the program lifeboat (one file), this place, its "
      "key, and a plan that names both."};
}

std::string made_by(const RunbookIndex& index) {
  return cat("Made ", format_time_seconds(index.made), " by ", index.version,
             " from the plan with the fingerprint ", index.plan_fingerprint, ".");
}

// Not even their names: what is confidential may be told by one.
std::string sealed_text(const plan::Plan& plan) {
  auto sealed = plan.runbooks.size() - entries_of(plan).size();
  if (sealed == 0) return "";
  return cat(sealed, sealed == 1 ? " more runbook is" : " more runbooks are",
             " sealed: with the key, lifeboat runbook export --all --stored shows all of them.");
}

}  // namespace

std::string runbook_index_html(const RunbookIndex& index) {
  Markup out;
  out.verbatim("<!DOCTYPE html>\n").open("html", {{"lang", "en"}});
  write_page_head(out, cat("Runbooks of ", index.plan.system), index.version);
  out.open("body").open("main").open("header");
  out.leaf("p", "What to do when it is gone", {{"class", "eyebrow"}});
  out.leaf("h1", cat("Runbooks of ", index.plan.system));
  for (const auto& line : warnings()) out.leaf("p", line);
  out.close().open("section").open("div", {{"class", "wide"}}).open("table").open("thead");
  out.open("tr");
  for (const char* head : {"Runbook", "When", "Target (RTO)", "Owner", "Updated"})
    out.leaf("th", head, {{"scope", "col"}});
  out.close().close().open("tbody");
  for (const auto& entry : entries_of(index.plan)) {
    out.open("tr").open("th", {{"scope", "row"}});
    out.leaf("a", entry.name, {{"href", cat(entry.name, ".html")}}).close();
    for (const auto& cell : {entry.symptoms, entry.target, entry.owner}) out.leaf("td", cell);
    out.leaf("td", entry.updated, {{"class", "date"}});
    out.close();
  }
  out.close().close().close();
  if (auto sealed = sealed_text(index.plan); !sealed.empty()) out.leaf("p", sealed);
  out.close();
  out.leaf("footer", made_by(index));
  out.close().close().close();
  return std::move(out).take();
}

std::string runbook_index_markdown(const RunbookIndex& index) {
  auto out = cat("# Runbooks of ", markdown_text(index.plan.system), "\n\n");
  for (const auto& line : warnings()) out += cat(markdown_text(line), "\n\n");
  out += "| Runbook | When | Target (RTO) | Owner | Updated |\n|---|---|---|---|---|\n";
  for (const auto& entry : entries_of(index.plan)) {
    auto name = markdown_text(entry.name);
    out += cat("| [", name, "](", entry.name, ".md)");
    for (const auto& cell : {entry.symptoms, entry.target, entry.owner, entry.updated})
      out += cat(" | ", markdown_text(cell));
    out += " |\n";
  }
  if (auto sealed = sealed_text(index.plan); !sealed.empty()) out += cat("\n", sealed, "\n");
  return cat(out, "\n", markdown_text(made_by(index)), "\n");
}

}  // namespace lb::report
