// postmortem: the draft that a run writes of itself.
#include "app/cli/incident_desk.h"
#include "app/cli/run_desk.h"
#include "app/cli/task_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/post_mortem.h"

namespace lb::cli {

namespace {

// What is known of the incident that the run answered; it may be more than the run lived to see.
Result<std::optional<runbook::IncidentStory>> incident_of(const RunDesk& desk) {
  const auto id = desk.events.front().data["incident"].string();
  if (id.empty()) return std::optional<runbook::IncidentStory>();
  state::FactLog log(*desk.session->journal, desk.session->repository.get(), "incident");
  const auto facts = LB_TRY(log.facts(id, true));
  const auto state = LB_TRY(incident::fold(desk.session->plan.plan, id, facts));
  runbook::IncidentStory out;
  out.id = id;
  out.severity = state.severity;
  out.title = state.title;
  out.opened = state.opened;
  out.failed_at = state.failed_at;
  if (state.acknowledged) out.acknowledged = state.acknowledged->at;
  if (state.closed) out.closed = state.closed->at;
  for (const auto& fact : facts) out.lines.push_back({fact.at, fact.by, incident::line_of(fact)});
  return std::optional(std::move(out));
}

// The actions of the draft, each once however often this is done.
Status keep_tasks(const Shell& shell, const RunDesk& desk, const runbook::RunState& state) {
  auto log = tasks_of(*desk.session);
  std::size_t added = 0;
  const auto actions = runbook::follow_ups(desk.plan, desk.script, state, desk.events);
  for (const auto& action : actions) {
    incident::TaskState task;
    task.id = incident::task_id(desk.run, action.text);
    task.text = action.text;
    task.owner = action.owner;
    task.run = desk.run;
    task.due = action.due;
    const auto is_new = LB_TRY(add_task(shell, desk.plan, log, task));
    if (is_new) ++added;
  }
  shell.console.note(
      cat(added, " of ", actions.size(), " actions are new tasks: lifeboat task ls"));
  return {};
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto named = args.positionals.empty() ? std::string() : args.positionals[0];
  LB_TRY(pick_run(shell, desk, named, false));
  auto state = LB_TRY(runbook::fold(desk.script, desk.run, desk.events));
  std::vector<record::DrillRecord> drills;
  if (desk.session->repository != nullptr)
    drills = LB_TRY(state::drills(*desk.session->repository));
  std::optional<runbook::IncidentStory> incident;
  if (auto found = incident_of(desk); found.ok()) {
    incident = std::move(found).take();
  } else {
    shell.console.warn(cat("without the incident: ", found.error().text()));
  }
  auto text = runbook::post_mortem(desk.plan, desk.script, state, desk.events, drills,
                                   incident ? &*incident : nullptr);
  if (args.has("tasks")) LB_TRY(keep_tasks(shell, desk, state));
  if (args.has("out")) {
    LB_TRY(write_durably(shell.world.files, args.get("out"), view_of(text)));
    shell.console.note(cat("written to ", args.get("out")));
    return ExitCode::ok;
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.postmortem/1",
                        Json::object().set("run", desk.run).set("markdown", text));
  } else {
    shell.console.out(text);
  }
  return ExitCode::ok;
}

}  // namespace

Verb postmortem_verb() {
  return {
      {"postmortem",
       "Drafts the post-mortem of a run from its journal: times, decisions, deviations, actions.",
       {"lifeboat postmortem                       # of the newest run",
        "lifeboat postmortem db-loss -o review.md  # into a file"},
       "postmortem [RUN] [-o FILE] [--tasks]",
       {{"out", 'o', "FILE", "where it goes instead of the terminal", false},
        {"tasks", 0, "", "its actions become tasks, with owners and dates", false}},
       1},
      run};
}

}  // namespace lb::cli
