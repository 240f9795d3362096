// postmortem: the draft that a run writes of itself.
#include "app/cli/postmortem_text.h"
#include "app/cli/run_desk.h"
#include "app/cli/task_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/post_mortem.h"

namespace lb::cli {

namespace {

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
  auto text = LB_TRY(postmortem_text(shell, *desk.session, *desk.log,
                                     {desk.plan, desk.script, state, desk.events}));
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
