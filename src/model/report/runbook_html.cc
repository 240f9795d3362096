#include <algorithm>

#include "foundation/base/text.h"
#include "model/report/markup.h"
#include "model/report/runbook_steps.h"
#include "model/report/runbook_style.h"

namespace lb::report {

namespace {

void write_head(Markup& out, const RunbookPage& page) {
  out.open("header").leaf("p", cat("Runbook of ", page.plan.system), {{"class", "eyebrow"}});
  out.leaf("h1", page.runbook.name);
  if (!page.runbook.objective.why.empty()) out.leaf("p", page.runbook.objective.why);
  out.open("dl", {{"class", "facts"}});
  for (const auto& [name, value] : page_facts(page)) out.leaf("dt", name).leaf("dd", value);
  out.close().close();
}

void write_list(Markup& out, const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  out.open("section").leaf("h2", title).open("ul");
  for (const auto& item : items) out.leaf("li", item);
  out.close().close();
}

void write_tick(Markup& out) { out.leaf("span", "", {{"class", "tick"}}); }

void write_marks(Markup& out, const PageStep& step) {
  if (step.critical) out.leaf("span", "critical", {{"class", "mark fail"}});
  if (step.review) out.leaf("span", "not reviewed yet", {{"class", "mark warn"}});
}

void write_hand(Markup& out, const ByHand& hand) {
  if (hand.words.empty() && hand.commands.empty()) return;
  out.open("div", {{"class", "hand"}}).leaf("span", "By hand", {{"class", "name"}});
  for (const auto& words : hand.words) out.leaf("p", words);
  if (!hand.commands.empty()) out.leaf("pre", hand.commands);
  out.close();
}

void write_room(Markup& out, const PageStep& step) {
  for (const auto& answer : step.answers) {
    out.open("div", {{"class", "blank"}}).leaf("span", answer).leaf("span", "").close();
  }
  if (!step.decision) return;
  out.open("div", {{"class", "decide"}});
  for (const char* choice : {"go", "no go"}) {
    out.open("span", {{"class", "choice"}});
    write_tick(out);
    out.leaf("span", choice).close();
  }
  out.leaf("span", "decided by", {{"class", "room"}}).leaf("span", "at", {{"class", "room"}});
  out.close();
}

void write_boxes(Markup& out, const std::vector<Box>& boxes) {
  if (boxes.empty()) return;
  out.open("ul", {{"class", "boxes"}});
  for (const auto& box : boxes) {
    out.open("li");
    write_tick(out);
    out.open("span").text(box.text);
    if (box.critical) out.text(" ").leaf("span", "critical", {{"class", "mark fail"}});
    out.close().close();
  }
  out.close();
}

void write_step(Markup& out, const PageStep& step) {
  auto deep = step.depth == 0 ? std::string() : cat(" in", std::min(step.depth, 3));
  out.open("li", {{"class", cat("step", deep, step.loud ? " loud" : "")}});
  write_tick(out);
  out.leaf("span", std::to_string(step.number), {{"class", "number"}}).open("div");
  out.open("h3").text(step.title);
  write_marks(out, step);
  out.close();
  if (!step.who.empty() || !step.remarks.empty()) {
    out.open("dl", {{"class", "pairs"}});
    if (!step.who.empty()) out.leaf("dt", "Who").leaf("dd", step.who);
    for (const auto& [name, value] : step.remarks) out.leaf("dt", name).leaf("dd", value);
    out.close();
  }
  if (!step.command.empty()) out.leaf("pre", step.command);
  write_hand(out, step.by_hand);
  write_boxes(out, step.boxes);
  write_room(out, step);
  out.close().close();
}

void write_steps(Markup& out, const RunbookPage& page) {
  out.open("section").leaf("h2", "Steps");
  out.leaf("p", join(page_instructions(), " "), {{"class", "small soft"}});
  bool open = false;
  for (const auto& step : page_steps(page)) {
    if (step.number == 0) {
      if (open) out.close();
      open = false;
      out.leaf("h3", step.title, {{"class", "phase"}});
      continue;
    }
    if (!open) out.open("ol", {{"class", "steps"}});
    open = true;
    write_step(out, step);
  }
  if (open) out.close();
  out.close();
}

// `letters`: the columns after the first hold single letters.
void write_table(Markup& out, const std::vector<std::vector<std::string>>& rows, bool letters) {
  auto look = [&](std::size_t i) { return std::string(letters && i > 0 ? "letters" : ""); };
  out.open("div", {{"class", "wide"}}).open("table").open("thead").open("tr");
  for (std::size_t i = 0; i < rows[0].size(); ++i)
    out.leaf("th", rows[0][i], {{"scope", "col"}, {"class", look(i)}});
  out.close().close().open("tbody");
  for (std::size_t r = 1; r < rows.size(); ++r) {
    out.open("tr").leaf("th", rows[r][0], {{"scope", "row"}});
    for (std::size_t i = 1; i < rows[r].size(); ++i)
      out.leaf("td", rows[r][i], {{"class", look(i)}});
    out.close();
  }
  out.close().close().close();
}

void write_people(Markup& out, const RunbookPage& page) {
  auto rows = people_rows(page);
  if (rows.empty()) return;
  out.open("section").leaf("h2", "People");
  write_table(out, rows, false);
  out.close();
}

void write_raci(Markup& out, const RunbookPage& page) {
  auto rows = raci_rows(page);
  if (rows.empty()) return;
  out.open("section").leaf("h2", "Who does what");
  write_table(out, rows, true);
  out.leaf("p", "R does it, A decides, C is asked before, I is told after.",
           {{"class", "small soft"}});
  out.close();
}

// Only what a browser fetches by itself can be followed; a path means nothing where this page lies.
void write_links(Markup& out, const RunbookPage& page) {
  auto links = page_links(page);
  if (links.empty()) return;
  out.open("section").leaf("h2", "Links").open("ul");
  for (const auto& [name, address] : links) {
    out.open("li").text(cat(name, ": "));
    if (address.starts_with("https://") || address.starts_with("http://")) {
      out.leaf("a", address, {{"href", address}, {"rel", "noreferrer"}});
    } else {
      out.text(address);
    }
    out.close();
  }
  out.close().close();
}

}  // namespace

std::string runbook_html(const RunbookPage& page) {
  Markup out;
  out.verbatim("<!DOCTYPE html>\n").open("html", {{"lang", "en"}});
  write_page_head(out, cat("Runbook ", page.runbook.name, " of ", page.plan.system), page.version);
  out.open("body").open("main");
  write_head(out, page);
  write_list(out, "Symptoms", page.runbook.symptoms);
  write_people(out, page);
  write_steps(out, page);
  write_raci(out, page);
  write_list(out, "So that it does not happen", page.runbook.prevention);
  write_links(out, page);
  out.open("footer").text(cat("Made by ", page.version, " from the plan with the fingerprint ",
                              page.plan_fingerprint, ". Numbers of steps are those of a run."));
  out.close().close().close().close();
  return std::move(out).take();
}

}  // namespace lb::report
