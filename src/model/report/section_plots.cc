#include "foundation/base/text.h"
#include "model/report/plots.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;

static void write_stage_table(Markup& out, const DrillRecord& record) {
  out.open("details").leaf("summary", "Stages as a table, with bytes and notes");
  open_table(out, "Stages",
             {"Stage", ">Starts after", ">Duration", ">Bytes", ">Rate", "Result", "Note"});
  out.open("tbody");
  for (const auto& stage : record.stages) {
    out.open("tr").leaf("th", stage_title(stage), {{"scope", "row"}});
    out.leaf("td", human_duration(stage.started - record.started), {{"class", "number"}});
    out.leaf("td", human_duration(stage.took), {{"class", "number"}});
    out.leaf("td", stage.bytes > 0 ? human_size(stage.bytes) : "–", {{"class", "number"}});
    const std::string rate = rate_text(stage.bytes, stage.took);
    out.leaf("td", rate.empty() ? "–" : rate, {{"class", "number"}});
    out.open("td", {{"class", "tight"}});
    write_mark(out, stage.ok ? "pass" : "fail", stage.ok ? "✓" : "✗", stage.ok ? "ok" : "failed");
    out.close().leaf("td", stage.note).close();
  }
  out.close().close().close().close();
}

void write_timeline(Markup& out, const View& view) {
  out.open("section").leaf("h2", "Timeline");
  if (view.record.stages.empty()) {
    out.leaf("p", "No stage was begun.").close();
    return;
  }
  out.open("figure");
  out.open("div", {{"class", "wide timeline"},
                   {"tabindex", "0"},
                   {"role", "region"},
                   {"aria-label", "Plot of the stages"}});
  out.verbatim(timeline_svg(view.record)).close();
  out.leaf(
      "figcaption",
      "Stages on one axis. Stores may be restored at the same time. The dashed line is the end of "
      "the last check: where the recovery time stops.");
  out.close();
  write_stage_table(out, view.record);
  out.close();
}

static void write_history_table(Markup& out, const View& view) {
  out.open("details").leaf("summary", "History as a table");
  open_table(out, "Last drills",
             {"Started", "Verdict", ">Recovery time", ">Data loss", ">Checks", "Drill"});
  out.open("tbody");
  for (const auto& drill : view.shown) {
    const auto checks = tally(drill.checks);
    out.open("tr").leaf("th", moment_text(drill.started), {{"scope", "row"}, {"class", "moment"}});
    out.open("td", {{"class", "tight"}});
    write_verdict_mark(out, drill.verdict);
    out.close();
    out.leaf("td", figure_text(recovery_time_of(drill)), {{"class", "number"}});
    out.leaf("td", figure_text(worst_loss_of(drill)), {{"class", "number"}});
    out.leaf("td", cat(checks.passed, " of ", checks.total), {{"class", "number"}});
    out.open("td").leaf("code", drill.id).close().close();
  }
  out.close().close().close().close();
}

// The data loss is judged store by store; the plot shows the worst against the tightest target.
static std::optional<Micros> loss_target_of(const DrillRecord& drill) {
  auto target = drill.target_rpo;
  for (const auto& store : drill.stores) {
    if (store.target_rpo && (!target || *store.target_rpo < *target)) target = store.target_rpo;
  }
  return target;
}

void write_history(Markup& out, const View& view) {
  std::vector<HistoryPoint> times, losses;
  for (const auto& drill : view.shown) {
    times.push_back({drill.started, drill.verdict, recovery_time_of(drill), drill.target_rto});
    losses.push_back({drill.started, drill.verdict, worst_loss_of(drill), loss_target_of(drill)});
  }
  out.open("section").leaf("h2", "History");
  if (view.shown.size() == 1) {
    out.leaf("p",
             "This is the first drill of its name in the log; a trend begins with the second.");
  } else {
    out.leaf("p",
             cat("The last ", view.shown.size(),
                 " drills of this name, oldest first. Disc: PASS. Cross: FAIL. Ring: INCONCLUSIVE. "
                 "A mark on the axis: not measured."),
             {{"class", "small soft"}});
  }
  out.open("div", {{"class", "plots"}});
  out.open("figure").verbatim(history_svg("Measured recovery time", times));
  out.leaf("figcaption", clock_text(view.record.rto_clock)).close();
  out.open("figure").verbatim(history_svg("Measured loss, worst store", losses));
  out.leaf("figcaption", clock_text(view.record.rpo_clock)).close();
  out.close();
  write_history_table(out, view);
  out.close();
}

}  // namespace lb::report
