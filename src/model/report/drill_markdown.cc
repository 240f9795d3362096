#include "foundation/base/text.h"
#include "model/report/markdown_text.h"
#include "model/report/moments.h"
#include "model/report/plots.h"
#include "model/report/report.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;

static std::string row(const std::vector<std::string>& cells) {
  return cat("| ", join(cells, " | "), " |\n");
}

static std::string table(const std::vector<std::string>& names) {
  std::vector<std::string> rules(names.size(), "---");
  return row(names) + row(rules);
}

static std::string head(const View& view) {
  const auto& record = view.record;
  std::string out =
      cat("# ", markdown_text(record.system), " – drill ", markdown_text(record.drill), ": ",
          record::name_of(record.verdict), "\n\n**", markdown_text(record.reason), "**\n\n",
          markdown_text(summary_sentence(record, view.figures)), "\n\n");
  const std::pair<const char*, std::string> facts[] = {
      {"Drill", record.id},
      {"Started", moment_text(record.started)},
      {"Ended", moment_text(record.ended)},
      {"Started by", record.started_by},
      {"Host", record.host},
      {"Lifeboat", record.version},
      {"Restored into", record.target},
      {"Point wanted", record.point_wanted},
      {"Moment of loss",
       record.audit ? "" : cat(moment_text(record.loss_moment), " ", record.loss_note)},
      {"Plan", cat(record.plan_file, " ", record.plan_fingerprint)},
      {"Repository", record.repository},
      {"Next drill due", record.next_due ? moment_text(*record.next_due) : "not scheduled"},
  };
  for (const auto& [name, value] : facts) {
    if (!trim(value).empty())
      out += cat("- ", name, ": ", markdown_text(std::string(trim(value))), "\n");
  }
  return out;
}

static std::string limit(const std::optional<Micros>& value) {
  return value ? limit_text(*value) : std::string("–");
}

static std::string objectives(const View& view) {
  std::string out = "\n## Objectives\n\n";
  out += table({"Store", "Figure", "Clock", "Target", "Goal", "Worst case", "Predicted", "Measured",
                "Margin", "Result"});
  for (const auto& one : view.figures.objectives) {
    out += row({markdown_text(one.subject), one.figure, markdown_text(one.clock), limit(one.target),
                limit(one.goal), limit(one.worst_case), figure_text(one.predicted),
                figure_text(one.measured), figure_text(one.margin()),
                std::string(name_of(one.standing()))});
  }
  for (const auto& line : view.figures.disagreements) out += cat("\n- ", markdown_text(line), "\n");
  return out;
}

static std::string points(const DrillRecord& record) {
  std::string out = "\n## Points used\n\n";
  if (record.stores.empty()) return out + "No store was restored.\n";
  out += table({"Store", "Point", "Taken", "Reached", "Items", "Size"});
  for (const auto& store : record.stores) {
    const std::string reached = store.reached ? moment_text(*store.reached) : "not known";
    out +=
        row({markdown_text(store.store), markdown_text(store.point), moment_text(store.point_taken),
             markdown_text(cat(reached, " ", store.reached_note)), human_count(store.items),
             human_size(store.bytes)});
  }
  return out;
}

static std::string moments(const DrillRecord& record) {
  const auto& audit = *record.audit;
  std::string out = cat("\n## Moments audited\n\n", markdown_text(audit_note(record)), "\n\n");
  for (const auto& gap : audit.gaps) out += cat("- ", markdown_text(gap.text), "\n\n");
  out += table({"Moment", "Result", "Store", "Base", "Commit reached", "Lag", "Next commit",
                "Replay", "Took", "Reason"});
  for (const auto& line : moment_lines(audit)) {
    std::vector<std::string> cells;
    for (const auto& cell : line.cells) cells.push_back(markdown_text(cell));
    if (!line.point.empty()) cells[base_cell] += cat(" ", markdown_text(line.point));
    cells.insert(cells.begin() + 1, std::string(record::name_of(line.verdict)));
    cells.push_back(markdown_text(line.reason));
    out += row(cells);
  }
  return out;
}

static std::string stages(const DrillRecord& record) {
  std::string out = "\n## Stages\n\n";
  if (record.stages.empty()) return out + "No stage was begun.\n";
  out += table({"Stage", "Starts after", "Duration", "Bytes", "Result", "Note"});
  for (const auto& stage : record.stages) {
    out += row({markdown_text(stage_title(stage)), human_duration(stage.started - record.started),
                human_duration(stage.took), stage.bytes > 0 ? human_size(stage.bytes) : "–",
                stage.ok ? "ok" : "failed", markdown_text(stage.note)});
  }
  return out;
}

static std::string history(const View& view) {
  std::string out = "\n## History\n\n";
  out += table({"Started", "Verdict", "Recovery time", "Data loss", "Checks", "Drill"});
  for (const auto& drill : view.shown) {
    const auto checks = tally(drill.checks);
    out += row({moment_text(drill.started), std::string(record::name_of(drill.verdict)),
                figure_text(recovery_time_of(drill)), figure_text(worst_loss_of(drill)),
                cat(checks.passed, " of ", checks.total), markdown_text(drill.id)});
  }
  return out;
}

static std::string checks(const View& view) {
  std::string out = "\n## Checks\n\n";
  if (view.record.checks.empty()) return out + "No check ran: nothing was proven by this drill.\n";
  out += table({"Suite", "Check", "Result", "Expected", "Got", "Examined", "Took", "Reason"});
  for (const auto& check : view.record.checks) {
    out += row({markdown_text(check.suite), markdown_text(check.name),
                std::string(record::name_of(check.state)), markdown_text(check.expected),
                markdown_text(check.got), human_count(check.examined), human_duration(check.took),
                markdown_text(check.reason)});
  }
  for (const auto& check : view.record.checks) {
    if (check.state == record::CheckState::pass || check.evidence.empty()) continue;
    out += cat("\nEvidence of ", markdown_text(check.suite), " / ", markdown_text(check.name),
               ":\n\n");
    for (const auto& line : check.evidence) out += cat("    ", printable(line), "\n");
  }
  return out;
}

static std::string runbook(const DrillRecord& record) {
  if (record.runbook.empty()) return "";
  std::string out = cat("\n## Runbook ", markdown_text(record.runbook), "\n\n");
  out += table({"No.", "Step", "By", "Result", "Predicted", "Took", "What came of it"});
  for (const auto& step : record.steps) {
    out += row({cat(step.number), markdown_text(step.title), markdown_text(step.by),
                markdown_text(step.state), duration_or_dash(step.predicted),
                duration_or_dash(step.took), markdown_text(step.text)});
  }
  out += cat("\n", predicted_against_real(record), "\n");
  out += "\nDeviations from the runbook:";
  if (record.deviations.empty()) out += " none.\n";
  if (!record.deviations.empty()) out += "\n\n";
  for (const auto& each : record.deviations) out += cat("- ", markdown_text(each), "\n");
  return out;
}

static std::string people(const DrillRecord& record) {
  if (record.runbook.empty()) return "";
  std::string out = "\n### People\n\n";
  if (record.roles.empty()) out += "The runbook names nobody.\n";
  if (!record.roles.empty()) out += table({"Role", "Part", "Steps", "In this drill"});
  for (const auto& role : record.roles)
    out +=
        row({markdown_text(role.role), role.part, numbers_of(role), markdown_text(acted_of(role))});
  out += "\n### Decisions\n\n";
  if (record.decisions.empty()) out += "The runbook asks for none.\n";
  for (const auto& decision : record.decisions) {
    out += cat("- ", markdown_text(decision_text(decision)), "\n");
    for (const auto& fact : decision.shown) out += cat("  - ", markdown_text(fact), "\n");
  }
  return out;
}

static std::string tasks(const DrillRecord& record) {
  const auto all = tasks_left_by(record);
  std::string out = "\n## Follow-up tasks\n\n";
  if (all.empty()) return out + "None follows from this drill.\n";
  out += table({"Task", "Owner", "Until"});
  for (const auto& task : all)
    out += row({markdown_text(task.text), markdown_text(owner_text(task)),
                format_time_seconds(task.due).substr(0, 10)});
  return out + cat("\n`lifeboat report ", record.id, " --tasks` makes them tasks.\n");
}

static std::string findings(const View& view) {
  const auto& isolation = view.record.isolation;
  std::string out = "\n## Isolation\n\n";
  for (const auto& fact : isolation.facts) out += cat("- ", markdown_text(fact), "\n");
  out += cat(
      "- outbound attempts blocked: ", human_count(isolation.blocked_count), " (",
      isolation.blocked_method.empty() ? "not counted" : markdown_text(isolation.blocked_method),
      ")\n");
  for (const auto& place : isolation.blocked_destinations)
    out += cat("  - ", markdown_text(place), "\n");
  out += "\n## Issues and recommendations\n\n";
  if (view.advice.empty()) out += "Nothing failed and nothing came near a limit.\n";
  std::size_t number = 0;
  for (const auto& advice : view.advice) {
    out += cat(++number, ". **", advice.severity, "**: ", markdown_text(advice.what),
               "\n   - Why it matters: ", markdown_text(advice.why),
               "\n   - What to do: ", markdown_text(advice.action), "\n");
  }
  out +=
      cat("\n## Clean-up\n\n", view.record.cleaned_up ? "Everything the drill made was removed.\n"
                                                      : "The sandbox was not removed.\n");
  return out;
}

std::string drill_markdown(const DrillRecord& record, const std::vector<DrillRecord>& earlier) {
  const View view = view_of(record, earlier);
  std::string out =
      cat(head(view), objectives(view), record.audit ? moments(record) : points(record),
          runbook(record), people(record), stages(record), history(view), checks(view),
          findings(view), tasks(record));
  out += "\n## Journal extract\n\n";
  for (const auto& line : record.journal) out += cat("    ", printable(line), "\n");
  out += cat(
      "\nVerify offline with the repository and its key: `lifeboat verify`, `lifeboat show ID`, ",
      "`lifeboat report ", record.id, "`.\n");
  return out;
}

}  // namespace lb::report
