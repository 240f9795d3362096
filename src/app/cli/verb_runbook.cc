// runbook ls, runbook test: what the plan's runbooks are, and what in them cannot work.
#include "app/cli/past_runs.h"
#include "app/cli/runbook_looks.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/tabletop.h"

namespace lb::cli {

namespace {

Json json_of(const std::string& name, const runbook::Tabletop& table) {
  Json findings = Json::array();
  for (const auto& finding : table.findings) {
    bool fails = finding.weight == runbook::TabletopFinding::Weight::fails;
    findings.push(Json::object()
                      .set("step", static_cast<std::uint64_t>(finding.step))
                      .set("fails", fails)
                      .set("place", finding.place.text())
                      .set("text", finding.text));
  }
  return Json::object()
      .set("runbook", name)
      .set("steps", static_cast<std::uint64_t>(table.steps.size()))
      .set("works", table.works())
      .set("findings", std::move(findings));
}

// Times that were measured and do not fit are no reason that it cannot work.
void add_times(const Shell& shell, RunDesk& desk, const plan::Runbook& runbook,
               runbook::Tabletop& table) {
  auto made = forecast_of(shell, desk, runbook.name);
  if (!made.ok()) {
    return shell.console.warn(
        cat("what runs of ", runbook.name, " took is not known: ", made.error().text()));
  }
  for (auto& slow : runbook::too_slow(made->script, made->forecast)) {
    const auto& place =
        slow.step == 0 ? runbook.place : made->script.steps.at(slow.step - 1).step->place;
    table.findings.push_back(
        {runbook::TabletopFinding::Weight::warns, slow.step, place, std::move(slow.text)});
  }
}

void print_findings(const Shell& shell, const runbook::Tabletop& table, std::size_t step) {
  auto& console = shell.console;
  for (const auto& finding : table.findings) {
    if (finding.step != step) continue;
    bool fails = finding.weight == runbook::TabletopFinding::Weight::fails;
    console.out(cat(step == 0 ? "  " : "       ",
                    console.colored(fails ? "cannot work: " : "note: ", fails ? 31 : 33),
                    finding.text));
  }
}

void print(const Shell& shell, const std::string& name, const runbook::Tabletop& table) {
  auto& console = shell.console;
  console.out(console.bold(cat(name, ": ", table.steps.size(), " steps")));
  std::string phase;
  for (const auto& step : table.steps) {
    if (!step.phase.empty() && step.phase != phase) console.out(cat("  ", step.phase));
    phase = step.phase;
    auto who = step.by_people    ? cat("  [", step.by.empty() ? "a person" : step.by, "]")
               : step.by.empty() ? std::string()
                                 : cat("  [", step.by, "]");
    console.out(cat("  ", step.number, step.number < 10 ? "   " : "  ", printable(step.title), who,
                    step.destructive ? console.colored("  overwrites", 31) : "",
                    step.conditional ? "  (if)" : ""));
    print_findings(shell, table, step.number);
  }
  print_findings(shell, table, 0);
}

// Parameters that a run would be given stand for themselves.
Result<runbook::Script> script_of(const plan::Plan& plan, const plan::Runbook& runbook) {
  std::map<std::string, std::string> given;
  for (const auto& parameter : runbook.parameters) {
    given[parameter.name] = parameter.kind == "time"      ? "latest"
                            : parameter.kind == "number"  ? "0"
                            : parameter.kind == "boolean" ? "true"
                                                          : cat("$", parameter.name);
  }
  return runbook::make_script(plan, runbook.name, given);
}

Result<ExitCode> test(const Shell& shell, const Args& args) {
  Session session;
  session.plan = LB_TRY(load_plan(shell, args));
  session.references =
      std::make_unique<References>(shell.world, shell.environment, session.plan.folder);
  const auto& plan = session.plan.plan;
  auto looks = looks_of(shell, session);
  std::vector<const plan::Runbook*> wanted;
  for (const auto& runbook : plan.runbooks) {
    bool named = args.positionals.empty() || args.positionals[0] == runbook.name;
    if (named) wanted.push_back(&runbook);
  }
  if (wanted.empty() && !args.positionals.empty()) {
    auto unknown = runbook::make_script(plan, args.positionals[0], {});
    if (!unknown.ok()) return std::move(unknown).take_error();
  }
  bool works = !wanted.empty();
  Json lines = Json::array();
  // A tabletop needs neither key nor repository: what this machine knows of past runs will do.
  auto desk = run_desk_of_this_machine(shell, args);
  if (!desk.ok()) shell.console.warn(cat("what runs took is not known: ", desk.error().text()));
  for (const auto* runbook : wanted) {
    auto script = LB_TRY(script_of(plan, *runbook));
    auto table = runbook::walk(plan, script, looks);
    if (desk.ok() && *desk) add_times(shell, **desk, *runbook, table);
    works = works && table.works();
    lines.push(json_of(runbook->name, table));
    if (!shell.console.options().json) print(shell, runbook->name, table);
  }
  auto exit = works ? ExitCode::ok : ExitCode::check_not_met;
  shell.console.event("lifeboat.summary/1", Json::object()
                                                .set("verb", "runbook test")
                                                .set("ok", works)
                                                .set("exit", static_cast<int>(exit))
                                                .set("runbooks", std::move(lines)));
  return exit;
}

Result<ExitCode> list(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  std::vector<std::vector<std::string>> rows = {
      {"RUNBOOK", "STEPS", "RTO", "PARAMETERS", "SYMPTOMS"}};
  Json lines = Json::array();
  for (const auto& runbook : loaded.plan.runbooks) {
    auto script = LB_TRY(script_of(loaded.plan, runbook));
    std::vector<std::string> parameters;
    for (const auto& parameter : runbook.parameters)
      parameters.push_back(cat(parameter.name, "=", parameter.kind));
    rows.push_back({runbook.name, cat(script.steps.size()),
                    runbook.objective.rto ? human_duration(*runbook.objective.rto) : "–",
                    join(parameters, " "), join(runbook.symptoms, "; ")});
    Json symptoms = Json::array();
    for (const auto& symptom : runbook.symptoms) symptoms.push(symptom);
    lines.push(Json::object()
                   .set("runbook", runbook.name)
                   .set("steps", static_cast<std::uint64_t>(script.steps.size()))
                   .set("symptoms", std::move(symptoms)));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.runbooks/1", Json::object().set("runbooks", std::move(lines)));
  } else {
    shell.console.out(rows.size() == 1 ? std::string("the plan has no runbooks: section")
                                       : table(rows));
  }
  return ExitCode::ok;
}

}  // namespace

Verb runbook_ls_verb() {
  return {{"runbook ls",
           "Lists the runbooks of the plan, and the failures they answer.",
           {"lifeboat runbook ls", "lifeboat runbook ls --json"},
           "runbook ls",
           {},
           0},
          list};
}

Verb runbook_test_verb() {
  return {{"runbook test",
           "Walks a runbook without any effect, and lists what in it could not work (exit 4).",
           {"lifeboat runbook test             # all of them",
            "lifeboat runbook test db-loss     # one"},
           "runbook test [NAME]",
           {},
           1},
          test};
}

}  // namespace lb::cli
