// drill, drill ls, report.
#include <algorithm>

#include "app/cli/alert_desk.h"
#include "app/cli/copy_standing.h"
#include "app/cli/drill_evidence.h"
#include "app/cli/drilled_copy.h"
#include "app/cli/past_runs.h"
#include "app/cli/query_step.h"
#include "app/cli/run_view.h"
#include "app/cli/task_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "model/plan/unsupported.h"
#include "model/report/report.h"
#include "operations/runbook/command.h"
#include "operations/runbook/drilled.h"
#include "operations/runbook/rehearsal.h"
#include "recovery/backup/backup.h"
#include "recovery/drill/drill.h"

namespace lb::cli {

namespace {

std::vector<record::DrillRecord> history_of(const std::vector<record::DrillRecord>& all,
                                            const record::DrillRecord& one) {
  std::vector<record::DrillRecord> out;
  for (const auto& record : all) {
    if (record.drill == one.drill && record.started < one.started) out.push_back(record);
  }
  return out;
}

Status write_report(const Shell& shell, const std::string& folder,
                    const record::DrillRecord& record,
                    const std::vector<record::DrillRecord>& history) {
  auto& files = shell.world.files;
  LB_TRY(make_directories(files, folder, 0700));
  LB_TRY(
      write_durably(files, path_join(folder, "report.json"), view_of(report::drill_json(record))));
  LB_TRY(write_durably(files, path_join(folder, "report.html"),
                       view_of(report::drill_html(record, history))));
  return write_durably(files, path_join(folder, "report.md"),
                       view_of(report::drill_markdown(record, history)));
}

ExitCode exit_of(record::Verdict verdict) {
  switch (verdict) {
    case record::Verdict::pass:
      return ExitCode::ok;
    case record::Verdict::fail:
      return ExitCode::check_not_met;
    case record::Verdict::inconclusive:
      break;
  }
  return ExitCode::failed;
}

Result<ExitCode> list(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  std::vector<std::vector<std::string>> rows = {
      {"DRILL", "ID", "STARTED", "VERDICT", "RPO", "RTO", "REASON"}};
  Json lines = Json::array();
  for (const auto& record : LB_TRY(state::drills(*session->repository))) {
    lines.push(record::encode(record));
    rows.push_back({record.drill, record.id, format_time_seconds(record.started),
                    std::string(record::name_of(record.verdict)),
                    record.measured_rpo ? human_duration(*record.measured_rpo) : "–",
                    record.measured_rto ? human_duration(*record.measured_rto) : "–",
                    record.reason});
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.drills/1", Json::object().set("drills", std::move(lines)));
  } else {
    shell.console.out(table(rows, {4, 5}));
  }
  return ExitCode::ok;
}

Result<const plan::Drill*> pick_drill(const plan::Plan& plan, const Args& args) {
  std::vector<std::string> names;
  for (const auto& drill : plan.drills) names.push_back(drill.name);
  if (args.positionals.size() != 1) {
    return Error(ErrorKind::invalid, "drill takes the name of one drill")
        .with_hint(names.empty() ? std::string("the plan has no drills: section")
                                 : cat("drills: ", join(names, ", ")));
  }
  const auto* drill = plan.drill(args.positionals[0]);
  if (drill != nullptr) return drill;
  auto near = nearest(args.positionals[0], names);
  return Error(ErrorKind::invalid,
               cat("the plan has no drill '", printable(args.positionals[0]), "'"))
      .with_hint(near.empty() ? cat("drills: ", join(names, ", "))
                              : cat("did you mean ", near, "?"));
}

Status backup_first(const Shell& shell, Session& session, const plan::Drill& drill) {
  backup::Engine engine{shell.world, *session.repository, *session.journal, *session.references,
                        shell.host};
  for (const auto& name : drill.restore) {
    const auto* store = session.plan.plan.store(name);
    auto taken = backup::back_up(engine, *store, session.repository_folder,
                                 shell.console.progress(name), shell.stop);
    shell.console.end_progress();
    if (!taken.ok()) return std::move(taken).take_error();
    if (!taken->unmet.empty()) {
      return Error(ErrorKind::invalid, cat("backup of ", name, ": ", join(taken->unmet, "; ")))
          .with_exit(ExitCode::check_not_met);
    }
  }
  return {};
}

Result<drill::DrillRequest> read_request(const Shell& shell, const Session& session,
                                         const plan::Drill& drill, const Args& args) {
  drill::DrillRequest request{session.plan.plan, drill, {}, {}, {}, {}, {}, {}, {}, {}, false, 2};
  request.wish = LB_TRY(restore::parse_wish(args.get("at", drill.at)));
  if (args.has("seed") && !drill.pitr) {
    return Error(ErrorKind::invalid, cat("drill ", drill.name, " draws nothing by chance"))
        .with_hint("--seed belongs to an audit (pitr:)");
  }
  if (args.has("keep") && drill.pitr) {
    return Error(ErrorKind::invalid, "an audit keeps no copy: it restores one after another")
        .with_hint("lifeboat restore STORE --at TIME brings a moment back for a look");
  }
  if (args.has("seed")) request.seed = LB_TRY(parse_uint(args.get("seed")).context("--seed"));
  if (args.has("lost-at")) request.lost_at = LB_TRY(parse_time(args.get("lost-at")));
  request.started_by = shell.user;
  request.host = shell.host;
  request.version = cat("lifeboat ", program_version);
  request.plan_fingerprint = session.plan.fingerprint;
  request.plan_folder = session.plan.folder;
  const auto* target = session.plan.plan.target(drill.into);
  request.folder = target != nullptr && !target->folder.empty()
                       ? session.references->absolute(target->folder)
                       : session.sandbox_root;
  request.keep = args.has("keep");
  return request;
}

Result<ExitCode> verify_drill(const Shell& shell, const plan::Drill& drill) {
  Args args;
  args.flags["read"] = {cat(fixed(*drill.verify_fraction * 100, 3), "%")};
  return verify_verb().run(shell, args);
}

// The drill's runbook, made flat, and the drill with what it restores.
struct Runbook {
  runbook::Script script;
  plan::Drill drill;
  std::map<std::string, std::string> copies;               // store -> the copy it is read from
  std::map<std::string, std::unique_ptr<Session>> opened;  // by copy
};

Result<std::optional<Runbook>> runbook_of(const plan::Plan& plan, const plan::Drill& drill) {
  if (drill.runbook.empty()) return std::optional<Runbook>();
  std::map<std::string, std::string> given(drill.with.begin(), drill.with.end());
  Runbook out;
  out.script = LB_TRY(runbook::make_script(plan, drill.runbook, given));
  out.drill = drill;
  if (drill.restore.empty()) {
    auto stores = runbook::restored_by(plan, out.script);
    out.drill.restore = stores.stores;
    out.drill.group = stores.group;
  }
  out.copies = LB_TRY(runbook::copies_read_by(plan, out.script, given));
  return std::optional<Runbook>(std::move(out));
}

Result<drill::DrillTools> tools_of(const Shell& shell, Session& session, Runbook* runbook) {
  drill::DrillTools out{shell.world, *session.repository, *session.journal, *session.references,
                        shell.console};
  if (runbook == nullptr) return out;
  for (const auto& [store, copy] : runbook->copies) {
    auto& opened = runbook->opened[copy];
    if (opened == nullptr)
      opened = LB_TRY(open_copy_alone(shell, session, copy).context(cat("from: ", copy)));
    out.copies[store] = opened->repository.get();
  }
  return out;
}

// What the drill proved is the copy, as it stood.
void say_what_was_read(const Session& session, const Runbook& runbook,
                       record::DrillRecord& record) {
  for (const auto& [store, copy] : runbook.copies) {
    const auto& read = *runbook.opened.at(copy);
    record.findings.push_back({"note",
                               cat(store, " was restored out of copy ", copy, ", which ",
                                   standing_of_copy(session.repository.get(), *read.repository),
                                   "; the repository itself was not read for it"),
                               ""});
  }
}

// Carried out by the same driver as in earnest, in the drill's sandbox.
void conduct(const Shell& shell, Session& session, const Runbook& runbook, bool attended,
             drill::DrillRequest& request) {
  request.conduct = [&shell, &session, &runbook, attended,
                     plan_fingerprint = request.plan_fingerprint](drill::Rehearsal& rehearsal,
                                                                  std::stop_token stop) -> Status {
    state::RunLog log(*session.journal, session.repository.get());
    const auto& plan = session.plan.plan;
    auto redactor = runbook::redactor_of(plan, shell.environment);
    runbook::RehearsalParts parts;
    parts.copies = runbook.copies;
    parts.query = [&](const runbook::Act& act, const drill::RestoredDatabase& database) {
      return ask_database(act, Secret(database.conninfo), database.run_marker, redactor);
    };
    runbook::RehearsalActs acts(plan, rehearsal, shell.world.clock, std::move(parts));
    say_what_was_read(session, runbook, rehearsal.record());
    bool interactive = attended && shell.console.options().in_is_terminal;
    RunView view(shell.console, shell.world.clock, plan, runbook.script, interactive);
    runbook::DriverOptions options;
    options.user = shell.user;
    options.host = shell.host;
    options.attended = attended;
    options.wait = attended;
    options.answers = {runbook.drill.with.begin(), runbook.drill.with.end()};
    options.changed = [&](const runbook::RunState& state) { view.changed(state); };
    options.typed = [&](const runbook::RunState& state) { return view.typed(state); };
    runbook::NewRun fresh;
    fresh.given = {runbook.drill.with.begin(), runbook.drill.with.end()};
    fresh.mode = "drill";
    fresh.plan_text = plan.fingerprint;
    fresh.plan_file = plan.file;
    fresh.plan_folder = session.plan.folder;
    fresh.plan_fingerprint = plan_fingerprint;
    fresh.version = cat("lifeboat ", program_version);
    auto before = forecast_of(shell, log, runbook.script);
    auto done =
        runbook::rehearse({shell.world, log, acts, shell.console}, options, plan, runbook.script,
                          session.journal->fresh_id(), fresh, rehearsal, stop);
    if (before.ok()) {
      runbook::add_predictions(*before, rehearsal.record());
    } else {
      shell.console.warn(cat("what its steps took before is not known: ", before.error().text()));
    }
    return done;
  };
}

// What somebody should hear of: that it failed, or could not be carried out at all.
watch::Finding finding_of(const record::DrillRecord& record) {
  return {"drill failed", record.drill, record.verdict != record::Verdict::pass,
          cat("Drill ", record.drill, ": ", record::name_of(record.verdict),
              record.reason.empty() ? "" : ": ", record.reason, "\n\nlifeboat report ", record.id,
              "   prints what happened")};
}

Result<ExitCode> carry_out(const Shell& shell, const Args& args, Session& own) {
  auto* session = &own;
  const auto* drill = LB_TRY(pick_drill(session->plan.plan, args));
  auto runbook = LB_TRY(runbook_of(session->plan.plan, *drill));
  if (runbook) drill = &runbook->drill;
  LB_TRY(refuse_unsupported(shell, plan::unsupported_for_drill(session->plan.plan, *drill)));
  auto seed = LB_TRY(evidence_seed(*session));
  if (drill->verify_fraction) {
    auto verified = LB_TRY(verify_drill(shell, *drill));
    if (drill->restore.empty() || verified != ExitCode::ok) return verified;
  }
  auto request = LB_TRY(read_request(shell, *session, *drill, args));
  if (runbook) conduct(shell, *session, *runbook, args.has("attended"), request);
  if (drill->backup_first) LB_TRY(backup_first(shell, *session, *drill));

  auto tools = LB_TRY(tools_of(shell, *session, runbook ? &*runbook : nullptr));
  auto record = LB_TRY(drill::run_drill(tools, request, shell.stop));
  tell_people(shell, *session, {finding_of(record)});
  LB_TRY(session->journal->mirror(*session->repository));
  auto folder = args.get("out", path_join(session->state_folder,
                                          path_join("reports", cat(record.drill, "-", record.id))));
  auto history = history_of(LB_TRY(state::drills(*session->repository)), record);
  LB_TRY(write_report(shell, folder, record, history).context("write the report"));
  if (seed) LB_TRY(leave_evidence(shell, *session, *seed, record, folder));
  auto& console = shell.console;
  if (console.options().json) {
    console.event("lifeboat.summary/1", Json::object()
                                            .set("verb", "drill")
                                            .set("ok", record.verdict == record::Verdict::pass)
                                            .set("exit", static_cast<int>(exit_of(record.verdict)))
                                            .set("verdict", record::name_of(record.verdict))
                                            .set("reason", record.reason)
                                            .set("report", folder)
                                            .set("record", record::encode(record)));
  } else {
    console.out(report::drill_table(record, console.options().color));
    console.out(cat("report: ", path_join(folder, "report.html")));
  }
  return exit_of(record.verdict);
}

// A drill that leaves no record has proven nothing, and nobody would see it in the drill log.
bool counts_as_failed(const Error& error) {
  return error.exit_code() != ExitCode::usage && error.kind() != ErrorKind::cancelled;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (!args.positionals.empty() && args.positionals[0] == "ls") return list(shell, args);
  auto session = Session::open(shell, args);
  if (!session.ok()) {
    tell_of_no_session(shell, args, session.error(), "drill failed", args.positionals);
    return std::move(session).take_error();
  }
  auto done = carry_out(shell, args, **session);
  const auto& plan = (*session)->plan.plan;
  const bool known = args.positionals.size() == 1 && plan.drill(args.positionals[0]) != nullptr;
  if (!done.ok() && known && counts_as_failed(done.error()))
    tell_people(shell, **session,
                {{"drill failed", args.positionals[0], true, told_text(done.error())}});
  return done;
}

// Whom tasks of the drill are for when it does not say: the owner of its runbook, or the lead.
std::string owner_of(const plan::Plan& plan, const std::string& drill) {
  const auto* named = plan.drill(drill);
  const auto* runbook = named == nullptr ? nullptr : plan.runbook(named->runbook);
  if (runbook != nullptr && !runbook->owner.empty()) return runbook->owner;
  return plan.person("lead") != nullptr ? "lead" : "";
}

// The same of two drills is one task; but what was done before this drill, and is found once more,
// is to be done again.
std::string id_of(const record::DrillRecord& record, const std::string& text,
                  const std::vector<incident::TaskState>& known) {
  auto id = incident::task_id(cat("drill ", record.drill), text);
  const bool again = std::any_of(known.begin(), known.end(), [&](const auto& task) {
    return task.id == id && task.done && task.done->at < record.started;
  });
  return again ? incident::task_id(cat("drill ", record.drill, " ", record.id), text) : id;
}

// What the drill found to be done, each once however often this is asked for.
Status keep_tasks(const Shell& shell, const Session& session, const record::DrillRecord& record) {
  auto log = tasks_of(session);
  std::vector<std::string> unreadable;
  const auto known = LB_TRY(all_tasks(session.plan.plan, log, unreadable));
  std::size_t added = 0;
  for (const auto& each : report::tasks_left_by(record)) {
    incident::TaskState task;
    task.id = id_of(record, each.text, known);
    task.text = each.text;
    task.owner = each.owner.empty() ? owner_of(session.plan.plan, record.drill) : each.owner;
    task.run = record.id;
    task.due = each.due;
    const auto is_new = LB_TRY(add_task(shell, session.plan.plan, log, task));
    if (is_new) ++added;
  }
  shell.console.note(cat(added, " of ", report::tasks_left_by(record).size(),
                         " tasks of the drill are new: lifeboat task ls"));
  return {};
}

Result<ExitCode> make_report(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto wanted = args.positionals.empty() ? std::string() : args.positionals[0];
  auto all = LB_TRY(state::drills(*session->repository));
  const record::DrillRecord* found = nullptr;
  for (const auto& record : all) {
    if (wanted.empty() || record.drill == wanted || record.id.starts_with(wanted)) found = &record;
  }
  if (found == nullptr) {
    return Error(ErrorKind::not_found, wanted.empty() ? "no drill has run yet"
                                                      : cat("no drill '", printable(wanted), "'"))
        .with_hint("lifeboat drill ls lists them");
  }
  auto history = history_of(all, *found);
  if (args.has("tasks")) LB_TRY(keep_tasks(shell, *session, *found));
  if (args.has("out")) {
    LB_TRY(write_report(shell, args.get("out"), *found, history));
    for (const auto& each : LB_TRY(drill::read_evidence(*session->repository))) {
      if (each.id == found->id && each.trouble.empty())
        LB_TRY(write_evidence(shell, args.get("out"), each));
    }
    shell.console.note(cat("written to ", args.get("out")));
    return ExitCode::ok;
  }
  auto format = args.get("format", shell.console.options().json ? "json" : "md");
  if (format == "json") {
    shell.console.out(report::drill_json(*found));
  } else if (format == "html") {
    shell.console.out(report::drill_html(*found, history));
  } else if (format == "md") {
    shell.console.out(report::drill_markdown(*found, history));
  } else {
    return Error(ErrorKind::invalid, cat("unknown format '", printable(format), "'"))
        .with_hint("json, html or md");
  }
  return ExitCode::ok;
}

}  // namespace

Verb drill_verb() {
  return {
      {"drill",
       "Restores into an isolated sandbox, starts services, runs checks, measures, reports.",
       {"lifeboat drill full                                    # the plan's drill of that name",
        "lifeboat drill full --lost-at 2026-01-13T02:14:05Z     # measure the loss against that "
        "moment",
        "lifeboat drill audit --seed 4711 --at 2026-01-13T02:14:05Z  # the same moments again",
        "lifeboat drill ls                                      # the drill log"},
       "drill NAME|ls [--at T] [--lost-at T] [--seed N] [--out FOLDER] [--attended] [--keep]",
       {{"at", 0, "TIME",
         "recover to this moment instead of the drill's own; of an audit: its window ends there",
         false},
        {"seed", 0, "NUMBER", "audit: draw the moments of an earlier audit (its report says it)",
         false},
        {"lost-at", 0, "TIME", "the moment of loss RPO is measured against (default: now)", false},
        {"out", 'o', "FOLDER", "where report.json, report.html and report.md go", false},
        {"attended", 0, "", "of a runbook: people do their steps too, asked on the terminal",
         false},
        {"keep", 0, "", "leave the restored files for a look", false}},
       1},
      run};
}

Verb report_verb() {
  return {{"report",
           "Prints the report of the last drill, or of one by name or id, from the drill log.",
           {"lifeboat report                       # the last drill, as Markdown",
            "lifeboat report full -o ./evidence    # report.json, report.html, report.md",
            "lifeboat report full --tasks          # what is left to do, with owners and dates"},
           "report [DRILL|ID] [--format json|html|md] [-o FOLDER] [--tasks]",
           {{"format", 0, "FORMAT", "json, html or md (default md)", false},
            {"out", 'o', "FOLDER", "write all three forms there", false},
            {"tasks", 0, "", "what the drill left to do becomes tasks", false}},
           1},
          make_report};
}

}  // namespace lb::cli
