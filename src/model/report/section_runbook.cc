#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

static void write_step_mark(Markup& out, const std::string& state) {
  if (state == "done") return write_mark(out, "pass", "✓", "done");
  if (state == "failed" || state == "passed") return write_mark(out, "fail", "✗", "failed");
  if (state == "held") return write_mark(out, "note", "‖", "held");
  write_mark(out, "note", "–", state);
}

void write_runbook(Markup& out, const View& view) {
  const auto& record = view.record;
  if (record.runbook.empty()) return;
  out.open("section").leaf("h2", cat("Runbook ", record.runbook));
  out.leaf("p",
           "The same steps as in earnest, carried out in the sandbox. Held: would have reached "
           "something outside it, or is done by a person, and was not exercised.");
  open_table(out, "Every step", {">No.", "Step", "Result", ">Took", "What came of it"});
  out.open("tbody");
  for (const auto& step : record.steps) {
    out.open("tr").leaf("td", cat(step.number), {{"class", "number"}});
    out.leaf("th", cat(step.title, step.by.empty() ? "" : cat(" [", step.by, "]")),
             {{"scope", "row"}});
    out.open("td", {{"class", "tight"}});
    write_step_mark(out, step.state);
    out.close();
    out.leaf("td", step.took ? human_duration(*step.took) : "–", {{"class", "number"}});
    out.leaf("td", step.text).close();
  }
  out.close().close().close();
  out.leaf("h3", "Deviations from the runbook");
  if (record.deviations.empty()) {
    out.leaf("p", "None.").close();
    return;
  }
  out.open("ul");
  for (const auto& each : record.deviations) out.leaf("li", each);
  out.close().close();
}

}  // namespace lb::report
