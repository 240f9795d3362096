#include "foundation/base/text.h"
#include "model/report/markdown_text.h"
#include "model/report/runbook_steps.h"

namespace lb::report {

namespace {

std::string row(const std::vector<std::string>& cells) {
  return cat("| ", join(cells, " | "), " |\n");
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells;
    for (const auto& cell : rows[i]) cells.push_back(markdown_text(cell));
    out += row(cells);
    if (i == 0) out += row(std::vector<std::string>(cells.size(), "---"));
  }
  return out + "\n";
}

std::string list(const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string out = cat("## ", title, "\n\n");
  for (const auto& item : items) out += cat("- ", markdown_text(item), "\n");
  return out + "\n";
}

std::string marks(const PageStep& step) {
  std::string out;
  if (step.critical) out += " **(critical)**";
  if (step.review) out += " **(not reviewed yet)**";
  return out;
}

std::string step_text(const PageStep& step) {
  const std::string indent = "  ";
  std::string out =
      cat("- [ ] **", step.number, ". ", markdown_text(step.title), "**", marks(step), "\n");
  auto line = [&](const std::string& text) { out += cat("\n", indent, text, "\n"); };
  if (!step.who.empty()) line(cat("Who: ", markdown_text(step.who)));
  for (const auto& [name, value] : step.remarks)
    line(cat(markdown_text(name), ": ", markdown_text(value)));
  if (!step.command.empty()) out += cat("\n", markdown_code(step.command, indent));
  if (!step.by_hand.words.empty() || !step.by_hand.commands.empty()) {
    line(cat("By hand: ", markdown_text(join(step.by_hand.words, " "))));
    if (!step.by_hand.commands.empty())
      out += cat("\n", markdown_code(step.by_hand.commands, indent));
  }
  if (!step.boxes.empty()) out += "\n";
  for (const auto& box : step.boxes)
    out +=
        cat(indent, "- [ ] ", markdown_text(box.text), box.critical ? " **(critical)**" : "", "\n");
  for (const auto& answer : step.answers)
    line(cat(markdown_text(answer), ": ______________________"));
  if (step.decision) line("Decision: [ ] go  [ ] no go. By: ______________ at: ______________");
  return out + "\n";
}

std::string steps_text(const RunbookPage& page) {
  std::string out = cat("## Steps\n\n", join(page_instructions(), " "), "\n\n");
  for (const auto& step : page_steps(page)) {
    out += step.number == 0 ? cat("### ", markdown_text(step.title), "\n\n") : step_text(step);
  }
  return out;
}

}  // namespace

std::string runbook_markdown(const RunbookPage& page) {
  std::string out = cat("# Runbook: ", markdown_text(page.runbook.name), "\n\n");
  for (const auto& [name, value] : page_facts(page))
    out += cat("- ", markdown_text(name), ": ", markdown_text(value), "\n");
  out += "\n";
  if (!page.runbook.objective.why.empty())
    out += cat(markdown_text(page.runbook.objective.why), "\n\n");
  out += list("Symptoms", page.runbook.symptoms);
  auto people = people_rows(page);
  if (!people.empty()) out += cat("## People\n\n", table(people));
  out += steps_text(page);
  auto raci = raci_rows(page);
  if (!raci.empty()) {
    out += cat("## Who does what\n\n", table(raci),
               "R does it, A decides, C is asked before, I is told after.\n\n");
  }
  out += list("So that it does not happen", page.runbook.prevention);
  std::vector<std::string> links;
  for (const auto& [name, address] : page_links(page)) links.push_back(cat(name, ": ", address));
  out += list("Links", links);
  out += cat("Plan fingerprint: ", markdown_text(page.plan_fingerprint), "\n");
  return out;
}

}  // namespace lb::report
