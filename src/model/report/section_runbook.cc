#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;

static void write_step_mark(Markup& out, const std::string& state) {
  if (state == "done") return write_mark(out, "pass", "✓", "done");
  if (state == "failed" || state == "passed") return write_mark(out, "fail", "✗", "failed");
  if (state == "held") return write_mark(out, "note", "‖", "held");
  write_mark(out, "note", "–", state);
}

static void write_steps(Markup& out, const DrillRecord& record) {
  open_table(out, "Every step",
             {">No.", "Step", "Result", ">Predicted", ">Took", "What came of it"}, "drilled");
  out.open("tbody");
  for (const auto& step : record.steps) {
    out.open("tr").leaf("td", cat(step.number), {{"class", "number"}});
    out.leaf("th", cat(step.title, step.by.empty() ? "" : cat(" [", step.by, "]")),
             {{"scope", "row"}});
    out.open("td", {{"class", "tight"}});
    write_step_mark(out, step.state);
    out.close();
    out.leaf("td", duration_or_dash(step.predicted), {{"class", "number"}});
    out.leaf("td", duration_or_dash(step.took), {{"class", "number"}});
    out.leaf("td", step.text).close();
  }
  out.close().close().close();
  out.leaf("p", predicted_against_real(record), {{"class", "small soft"}});
}

static void write_roles(Markup& out, const DrillRecord& record) {
  out.leaf("h3", "People");
  if (record.roles.empty()) {
    out.leaf("p", "The runbook names nobody.");
    return;
  }
  open_table(out, "Who has a part in it", {"Role", "Part", "Steps", "In this drill"});
  out.open("tbody");
  for (const auto& role : record.roles) {
    out.open("tr").leaf("th", role.role, {{"scope", "row"}}).leaf("td", role.part);
    out.leaf("td", numbers_of(role)).leaf("td", acted_of(role)).close();
  }
  out.close().close().close();
}

static void write_decisions(Markup& out, const DrillRecord& record) {
  out.leaf("h3", "Decisions");
  if (record.decisions.empty()) {
    out.leaf("p", "The runbook asks for none.");
    return;
  }
  out.open("ul");
  for (const auto& decision : record.decisions) {
    out.open("li").text(decision_text(decision));
    if (!decision.shown.empty()) out.open("ul");
    for (const auto& fact : decision.shown) out.leaf("li", fact);
    if (!decision.shown.empty()) out.close();
    out.close();
  }
  out.close();
}

void write_runbook(Markup& out, const View& view) {
  const auto& record = view.record;
  if (record.runbook.empty()) return;
  out.open("section").leaf("h2", cat("Runbook ", record.runbook));
  out.leaf("p",
           "The same steps as in earnest, carried out in the sandbox. Held: would have reached "
           "something outside it, or is done by a person, and was not exercised.");
  write_steps(out, record);
  write_roles(out, record);
  write_decisions(out, record);
  out.leaf("h3", "Deviations from the runbook");
  if (record.deviations.empty()) {
    out.leaf("p", "None.").close();
    return;
  }
  out.open("ul");
  for (const auto& each : record.deviations) out.leaf("li", each);
  out.close().close();
}

void write_tasks(Markup& out, const View& view) {
  const auto tasks = tasks_left_by(view.record);
  out.open("section").leaf("h2", "Follow-up tasks");
  if (tasks.empty()) {
    out.leaf("p", "None follows from this drill.").close();
    return;
  }
  open_table(out, "What is left to do", {"Task", "Owner", "Until"});
  out.open("tbody");
  for (const auto& task : tasks) {
    out.open("tr").leaf("td", task.text).leaf("td", owner_text(task));
    out.leaf("td", format_time_seconds(task.due).substr(0, 10), {{"class", "tight"}}).close();
  }
  out.close().close().close();
  out.open("p").leaf("code", cat("lifeboat report ", view.record.id, " --tasks"));
  out.text(" makes them tasks of the plan's people; lifeboat task ls shows them.").close();
  out.close();
}

}  // namespace lb::report
