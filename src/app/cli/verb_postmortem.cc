// postmortem: the draft that a run writes of itself.
#include "app/cli/run_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/runbook/post_mortem.h"

namespace lb::cli {

namespace {

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto named = args.positionals.empty() ? std::string() : args.positionals[0];
  LB_TRY(pick_run(shell, desk, named, false));
  auto state = LB_TRY(runbook::fold(desk.script, desk.run, desk.events));
  std::vector<record::DrillRecord> drills;
  if (desk.session->repository != nullptr)
    drills = LB_TRY(state::drills(*desk.session->repository));
  auto text = runbook::post_mortem(desk.plan, desk.script, state, desk.events, drills);
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
       "postmortem [RUN] [-o FILE]",
       {{"out", 'o', "FILE", "where it goes instead of the terminal", false}},
       1},
      run};
}

}  // namespace lb::cli
