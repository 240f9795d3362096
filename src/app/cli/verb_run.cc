// run, resume, run ls, run show: runbooks carried out.
#include "app/cli/alert_desk.h"
#include "app/cli/incident_desk.h"
#include "app/cli/run_acts.h"
#include "app/cli/run_desk.h"
#include "app/cli/run_view.h"
#include "app/cli/runbook_looks.h"
#include "app/cli/text_width.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

std::string_view name_of(runbook::RunResult result) {
  switch (result) {
    case runbook::RunResult::done:
      return "done";
    case runbook::RunResult::aborted:
      return "aborted";
    case runbook::RunResult::failed:
      break;
  }
  return "failed";
}

std::string state_of(const runbook::RunState& state) {
  if (state.closed) return std::string(name_of(*state.closed));
  if (state.events == 0) return "unreadable";
  return state.mode == "drill" ? "drill" : "open";
}

// "k=v" words.
Result<std::map<std::string, std::string>> given_of(const std::vector<std::string>& words) {
  std::map<std::string, std::string> out;
  for (std::size_t i = 1; i < words.size(); ++i) {
    auto equals = words[i].find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(ErrorKind::invalid, cat("'", printable(words[i]), "' is no NAME=VALUE"));
    out[words[i].substr(0, equals)] = words[i].substr(equals + 1);
  }
  return out;
}

Json summary_of(const RunDesk& desk, const runbook::RunState& state, ExitCode exit,
                const char* verb) {
  Json steps = Json::array();
  for (const auto& own : desk.script.steps) {
    const auto& step = state.at(own.number);
    steps.push(Json::object()
                   .set("step", static_cast<std::uint64_t>(own.number))
                   .set("title", runbook::title_of(*own.step))
                   .set("state", runbook::name_of(step.status))
                   .set("text", step.text)
                   .set("by", step.by));
  }
  return Json::object()
      .set("verb", verb)
      .set("ok", exit == ExitCode::ok)
      .set("exit", static_cast<int>(exit))
      .set("run", desk.run)
      .set("runbook", desk.runbook)
      .set("state", state_of(state))
      .set("steps", std::move(steps));
}

ExitCode exit_of(const runbook::RunState& state) {
  if (!state.closed) return ExitCode::interrupted;
  return *state.closed == runbook::RunResult::done ? ExitCode::ok : ExitCode::failed;
}

void tell_end(const Shell& shell, const RunDesk& desk, const runbook::RunState& state) {
  auto& console = shell.console;
  console.end_progress();
  auto columns = console.options().out_is_terminal
                     ? terminal_columns(fileno(stdout)).value_or(usual_columns)
                     : 0;
  auto took = std::chrono::duration_cast<Seconds>(state.last_event - state.opened);
  if (state.closed) {
    console.out(wrapped(cat("run ", desk.run, " of ", desk.runbook, ": ", name_of(*state.closed),
                            " after ", human_duration(took)),
                        columns, 2));
    return;
  }
  console.out(wrapped(cat("run ", desk.run, " of ", desk.runbook, " is left as it is; it goes on, ",
                          "here or on another machine, with"),
                      columns, 2));
  console.out(cat("  lifeboat resume ", desk.run));
}

state::FactLog incidents_of(const RunDesk& desk) {
  return {*desk.session->journal, desk.session->repository.get(), "incident"};
}

Status link_to_incident(const Shell& shell, const RunDesk& desk, const std::string& incident) {
  auto log = incidents_of(desk);
  auto picked = LB_TRY(pick_incident(shell, desk.plan, log, incident, Among::open));
  record::Fact fact;
  fact.kind = incident::kind::linked;
  fact.data = Json::object().set("run", desk.run).set("runbook", desk.runbook);
  return say(shell, desk.plan, log, picked, std::move(fact));
}

// The escalation goes on while the run does. A run that cannot be linked is still a run.
Status join_incident(const Shell& shell, const RunDesk& desk, RunActs& acts,
                     const runbook::NewRun* fresh) {
  const auto incident =
      fresh != nullptr ? fresh->incident : desk.events.front().data["incident"].string();
  if (incident.empty()) return {};
  if (fresh != nullptr) {
    auto linked = link_to_incident(shell, desk, incident);
    if (!linked.ok())
      shell.console.warn(cat("incident ", incident,
                             " does not say that this run belongs to it: ", linked.error().text()));
  }
  return acts.watch_incident(incident);
}

Result<ExitCode> drive(const Shell& shell, RunDesk& desk, const Args& args,
                       const runbook::NewRun* fresh, const char* verb) {
  bool interactive = shell.console.options().in_is_terminal && !args.has("no-wait");
  RunView view(shell.console, shell.world.clock, desk.plan, desk.script, interactive);
  RunActs acts(shell, *desk.session, desk.plan);
  runbook::DriverOptions options;
  options.user = shell.user;
  options.host = shell.host;
  options.wait = !args.has("no-wait");
  options.changed = [&](const runbook::RunState& state) { view.changed(state); };
  options.typed = [&](const runbook::RunState& state) { return view.typed(state); };
  runbook::Driver driver({shell.world, *desk.log, acts, shell.console}, options, desk.plan,
                         desk.script, desk.run);
  LB_TRY(fresh != nullptr ? driver.open(*fresh) : driver.take_up());
  if (fresh != nullptr)
    shell.console.note(
        wrapped(cat("run ", desk.run, " of ", desk.runbook, " (", desk.script.steps.size(),
                    " steps), asked for by ", driver.state().requester),
                shell.console.options().err_is_terminal
                    ? terminal_columns(fileno(stderr)).value_or(usual_columns)
                    : 0,
                2));
  LB_TRY(join_incident(shell, desk, acts, fresh));
  auto end = driver.drive(shell.stop);
  if (!end.ok()) return std::move(end).take_error();
  if (desk.session->repository != nullptr) {
    auto mirrored = desk.session->journal->mirror(*desk.session->repository);
    if (!mirrored.ok())
      shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  // What waits in the outbox goes with it.
  tell_people(shell, *desk.session, {});
  auto exit = exit_of(driver.state());
  if (!shell.console.options().json) tell_end(shell, desk, driver.state());
  shell.console.event("lifeboat.summary/1", summary_of(desk, driver.state(), exit, verb));
  return exit;
}

// What is known before the first step not to work is said before it, not when it is reached.
void warn_of(const Shell& shell, const RunDesk& desk) {
  auto table = runbook::walk(desk.plan, desk.script, looks_of(shell, *desk.session));
  for (const auto& finding : table.findings) {
    if (finding.weight != runbook::TabletopFinding::Weight::fails) continue;
    shell.console.warn(
        cat("step ", finding.step, " cannot work: ", finding.text, "; the run will stop there"));
  }
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "run takes the name of a runbook")
        .with_hint("lifeboat runbook ls lists them");
  }
  auto desk = LB_TRY(open_run_desk(shell, args));
  runbook::NewRun fresh;
  fresh.plan_text = desk.session->plan.plan.fingerprint;
  fresh.plan_file = desk.session->plan.plan.file;
  desk.plan = LB_TRY(plan_for_run(fresh.plan_text, fresh.plan_file));
  desk.runbook = args.positionals[0];
  fresh.given = LB_TRY(given_of(args.positionals));
  desk.script = LB_TRY(runbook::make_script(desk.plan, desk.runbook, fresh.given));
  warn_of(shell, desk);
  desk.run = desk.session->journal->fresh_id();
  if (args.has("incident")) {
    auto log = incidents_of(desk);
    const auto picked =
        LB_TRY(pick_incident(shell, desk.plan, log, args.get("incident"), Among::open));
    LB_TRY(still_open(picked.state));
    fresh.incident = picked.state.id;
  }
  fresh.plan_folder = desk.session->plan.folder;
  fresh.plan_fingerprint = desk.session->plan.fingerprint;
  fresh.version = cat("lifeboat ", program_version);
  return drive(shell, desk, args, &fresh, "run");
}

Result<ExitCode> resume(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto named = args.positionals.empty() ? std::string() : args.positionals[0];
  LB_TRY(pick_run(shell, desk, named, true));
  return drive(shell, desk, args, nullptr, "resume");
}

Result<ExitCode> list(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto heads = LB_TRY(desk.log->runs(true));
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "RUNBOOK", "OPENED", "STATE", "BY", "STEP"}};
  Json lines = Json::array();
  for (const auto& head : heads) {
    RunDesk one = {};
    one.session = std::move(desk.session);
    one.log = std::move(desk.log);
    auto picked = pick_run(shell, one, head.id, false);
    auto state = picked.ok() ? runbook::fold(one.script, head.id, one.events)
                             : Result<runbook::RunState>(picked.error());
    desk.session = std::move(one.session);
    desk.log = std::move(one.log);
    std::string shown = "unreadable", by, at;
    if (state.ok()) {
      shown = state_of(*state);
      by = state->requester;
      auto turn = runbook::frontier(one.script, *state);
      if (!state->closed && !turn.empty())
        at = cat(turn.front(), "/", one.script.steps.size(), " ",
                 printable(runbook::title_of(*one.script.at(turn.front()).step)));
    } else {
      by = state.error().text();
    }
    rows.push_back({head.id, head.runbook, format_time_seconds(head.opened), shown, by, at});
    lines.push(Json::object()
                   .set("run", head.id)
                   .set("runbook", head.runbook)
                   .set("opened", format_time(head.opened))
                   .set("state", shown)
                   .set("by", by)
                   .set("step", at));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.runs/1", Json::object().set("runs", std::move(lines)));
  } else {
    shell.console.out(heads.empty() ? std::string("no run yet") : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> show(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto named = args.positionals.empty() ? std::string() : args.positionals[0];
  LB_TRY(pick_run(shell, desk, named, false));
  auto state = LB_TRY(runbook::fold(desk.script, desk.run, desk.events));
  if (shell.console.options().json) {
    auto out = summary_of(desk, state, ExitCode::ok, "run show");
    Json events = Json::array();
    for (const auto& event : desk.events) events.push(record::encode(event));
    out.set("events", std::move(events));
    shell.console.event("lifeboat.run/1", std::move(out));
    return ExitCode::ok;
  }
  RunView view(shell.console, shell.world.clock, desk.plan, desk.script, false);
  shell.console.out(cat("run ", desk.run, " of ", desk.runbook, ", ", state_of(state),
                        "; asked for by ", state.requester, " at ",
                        format_time_seconds(state.opened), "; last driven on ",
                        state.driver.empty() ? state.host : state.driver, "\n"));
  shell.console.out(view.overview(state));
  for (const auto& note : state.notes) {
    shell.console.out(cat(format_time_seconds(note.at), "  ", note.by, ": ", printable(note.text)));
  }
  return ExitCode::ok;
}

constexpr std::size_t parameters_max = 100;

const std::vector<Flag> driving_flags = {
    {"no-wait", 0, "", "leave the run (exit 75) as soon as it waits for people", false}};

}  // namespace

Verb run_verb() {
  auto flags = driving_flags;
  flags.push_back({"incident", 0, "ID", "the incident it answers; its escalation goes on", false});
  return {
      {"run",
       "Carries out a runbook of the plan, step by step; asks what only people can decide.",
       {"lifeboat run db-loss                                     # step by step",
        "lifeboat run recover when=2026-01-13T02:14:05Z target=west # with its parameters",
        "lifeboat run db-loss --incident 9k2m4x7q                 # as the answer to an incident",
        "lifeboat run db-loss --no-wait                           # as far as it goes alone"},
       "run RUNBOOK [NAME=VALUE …] [--no-wait] [--incident ID]",
       flags,
       parameters_max},
      run};
}

Verb resume_verb() {
  return {{"resume",
           "Goes on with a run where it was: after a crash, a reboot, or on another machine.",
           {"lifeboat resume                 # the run that is open",
            "lifeboat resume 06F9Z8Q7        # by the beginning or the end of its id"},
           "resume [RUN] [--no-wait]",
           driving_flags,
           1},
          resume};
}

Verb run_ls_verb() {
  return {{"run ls",
           "Lists the runs of this system, from every machine that shares the repository.",
           {"lifeboat run ls", "lifeboat run ls --json"},
           "run ls",
           {},
           0},
          list};
}

Verb run_show_verb() {
  return {{"run show",
           "Shows where a run stands: its steps, who did what, what it waits for.",
           {"lifeboat run show               # the newest run",
            "lifeboat run show db-loss --json # all its events"},
           "run show [RUN]",
           {},
           1},
          show};
}

}  // namespace lb::cli
