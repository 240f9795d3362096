#include "app/cli/run_acts.h"

#include <algorithm>

#include "app/cli/alert_desk.h"
#include "app/cli/task_desk.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "operations/runbook/command.h"
#include "operations/runbook/post_mortem.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

constexpr Micros command_limit = std::chrono::hours(1);
constexpr Micros probe_limit = std::chrono::minutes(5);
constexpr Micros later_limit = std::chrono::hours(24 * 7);  // for what a run leaves to people

const std::vector<std::string> no_files;

bool one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What `save` takes from what a command, or its probe after a crash, printed. Returns what is
// missing; empty: nothing.
std::string take_saved(const plan::Step& step, const std::string& output, runbook::Variables& set) {
  for (const auto& [name, pattern] : step.save) {
    if (pattern.empty()) {
      set[name] = output;
      continue;
    }
    // `save: {host: HOST}`: the value of the line HOST=…
    for (const auto& line : split(output, '\n')) {
      if (line.starts_with(pattern + "=")) set[name] = line.substr(pattern.size() + 1);
    }
    if (!set.contains(name)) return cat("printed no line ", pattern, "=… to save as ", name);
  }
  return {};
}

}  // namespace

RunActs::RunActs(const Shell& shell, Session& session, const plan::Plan& plan)
    : shell_(shell),
      session_(session),
      plan_(plan),
      redactor_(runbook::redactor_of(plan, shell.environment)),
      post_(shell, session, plan) {}

ActEnd RunActs::act(const Act& act, std::stop_token stop) {
  // A drill has acts of its own. Whatever led here, these are of what is live.
  if (act.mode == "drill") {
    return {false,
            "refused: a step of a drill is done in its sandbox alone",
            Json::object().set("kind", name_of(ErrorKind::denied)),
            {}};
  }
  auto end = done(act, stop);
  if (act.verb() == "restore" && !stop.stop_requested()) report_restore(act, end);
  if (end.ok()) {
    end->text = redactor_.clean(end->text);
    return std::move(end).take();
  }
  const auto& error = end.error();
  auto data = Json::object().set("kind", name_of(error.kind()));
  if (!error.hint().empty()) data.set("hint", redactor_.clean(error.hint()));
  if (!error.left().empty()) data.set("left", redactor_.clean(error.left()));
  return {false, redactor_.clean(error.text()), std::move(data), {}};
}

// Who looks on sees it; others should know that a recovery does not go well.
void RunActs::report_restore(const Act& act, const Result<ActEnd>& end) {
  if (act.mode == "drill") return;
  const plan::View what(act.step().what, no_files);
  const auto subject = what.has("store") ? what.text("store") : what.text("group");
  const bool failed = !end.ok() || !end->ok;
  const auto text = end.ok() ? end->text : told_text(end.error());
  post_.report({{"restore failed", subject, failed,
                 redactor_.clean(cat("Runbook ", act.script.runbook, ", step ", act.own.number,
                                     ": ", text, "\n\nlifeboat run show ", act.run))}});
}

Status RunActs::review_later(const Act& act, const std::string& text) {
  auto log = tasks_of(session_);
  incident::TaskState task;
  task.id = incident::task_id(act.run, text);
  task.text = text;
  task.owner = act.script.plan->owner;
  task.run = act.run;
  task.due = shell_.world.clock.now() + runbook::review_within;
  auto added = add_task(shell_, plan_, log, task);
  return added.ok() ? Status() : Status(added.error());
}

Result<ActEnd> RunActs::done(const Act& act, std::stop_token stop) {
  const auto& verb = act.verb();
  const auto& text = act.step().what.text;
  auto unbuilt = runbook::not_built(act.step());
  if (!unbuilt.empty()) {
    return Error(ErrorKind::unsupported, cat("not supported yet: ", unbuilt))
        .with_hint("do it by hand and say done, or leave it out with its reason");
  }
  if (verb == "run" || verb == "provision") return command(act, text, stop);
  if (verb == "task") return task(act, stop);
  if (verb == "choose") return choose(act);
  if (verb == "restore") return restore(act, stop);
  if (verb == "switch") return switch_to(act, stop);
  if (verb == "verify") return verify(act, stop);
  if (verb == "check") return one_check(act, text, stop);
  if (verb == "query") return query(act);
  if (verb == "bisect") return bisect(act, stop);
  if (verb == "assess") return assess(act, stop);
  if (verb == "wait") return wait(act, stop);
  if (verb == "watch") return watch(act, stop);
  if (verb == "status") return status(act);
  if (verb == "preflight") return preflight(act, stop);
  if (verb == "notify") return post_.tell(act, stop);
  if (verb == "postmortem") return postmortem(act);
  if (verb == "banner") {
    auto shown = LB_TRY(act.expand(text));
    shell_.console.note(shell_.console.bold(cat("\n    ", shown, "\n")));
    return ActEnd{true, shown, Json::object(), {}};
  }
  if (verb == "timer") {
    auto now = format_time(shell_.world.clock.now());
    return ActEnd{true,
                  cat("the clock ", text == "start" ? "starts" : "stops", " at ", now),
                  Json::object(),
                  {{cat("clock_", text), now}}};
  }
  return Error(ErrorKind::unsupported, cat("not supported yet: ", verb, " as a step"))
      .with_hint("do it by hand and say done, or leave it out with its reason");
}

Result<ActEnd> RunActs::command(const Act& act, const std::string& text, std::stop_token stop) {
  runbook::CommandWish wish;
  wish.text = text;
  wish.environment = runbook::environment_of(act, shell_.environment);
  wish.folder = session_.plan.folder;
  wish.limit = act.step().limit.value_or(command_limit);
  auto end = runbook::run_command(shell_.world, wish, redactor_, stop);
  // What left its process group, too.
  bool killed = end.data["limit"].boolean() || stop.stop_requested();
  if (killed) end_left_running(act);
  if (!end.ok) return end;
  auto output = std::string(trim(end.data["output"].string()));
  auto missing = take_saved(act.step(), output, end.set);
  if (!missing.empty()) {
    end.ok = false;
    end.text = cat("the command ", missing);
  }
  return end;
}

// What the law counts from, as far as anybody said; else when the step began.
static Timestamp failed_at(const Act& act) {
  const auto said = act.variables.find("failed_at");
  if (said == act.variables.end()) return act.began;
  const auto time = parse_time(said->second);
  return time.ok() ? *time : act.began;
}

Result<ActEnd> RunActs::task(const Act& act, std::stop_token stop) {
  const auto* found = plan_.task(act.step().what.text);
  if (found == nullptr) {
    return Error(ErrorKind::invalid, cat("the plan has no task ", act.step().what.text));
  }
  if (!found->run.empty()) return command(act, found->run, stop);
  // What a person is to do later outlives the run: it becomes a task with an owner and a date.
  auto log = tasks_of(session_);
  incident::TaskState later;
  // The same when it is done once more.
  later.id = incident::task_id(act.run, cat("step ", act.own.number, ": ", found->review));
  later.text = found->review;
  later.owner = found->by;
  later.run = act.run;
  const auto within =
      plan::View(plan_.tree, plan_.files).at("tasks").at(found->name).duration("within");
  later.due = within ? failed_at(act) + *within : shell_.world.clock.now() + later_limit;
  LB_TRY(add_task(shell_, plan_, log, later));
  ActEnd out;
  out.ok = true;
  // Of a deadline the hour counts.
  const auto until = format_time_seconds(*later.due);
  out.text = cat("left to ", later.owner.empty() ? std::string("somebody") : later.owner, " until ",
                 within ? until : until.substr(0, 10), ": lifeboat task ls");
  return out;
}

// Whether a message of that attempt would be recognised by its key.
bool RunActs::posts_here(const Act& act) const {
  auto pinned = act.pinned.find(outbox_pin);
  if (pinned == act.pinned.end()) return false;
  auto here = outbox_identity(shell_, session_);
  return here.ok() && *here == pinned->second;
}

bool RunActs::repeats_safely(const Act& act) const {
  if (act.verb() == "notify") return posts_here(act);
  // Restores recognise and go on with what they began; the others only look, or are recognised by
  // their key.
  const auto* task = act.verb() == "task" ? plan_.task(act.step().what.text) : nullptr;
  if (task != nullptr && task->run.empty()) return true;
  return !one_of(act.verb(), {"run", "provision", "task", "switch"});
}

void RunActs::end_left_running(const Act& act) {
  for (const auto& left : runbook::end_survivors(shell_.world, runbook::marker_of(act))) {
    shell_.console.warn(
        cat("step ", act.own.number, " was still running and was ended: ", redactor_.clean(left)));
  }
}

Result<runbook::Trace> RunActs::happened(const Act& act, std::stop_token stop) {
  end_left_running(act);
  if (act.verb() == "notify") {
    auto host = act.pinned.find(outbox_host_pin);
    const auto there = host == act.pinned.end() ? std::string("another machine") : host->second;
    return Error(
        ErrorKind::unavailable,
        cat("the message went into the outbox of ", there,
            ", which is not the one here: it may have arrived, or that machine may send it "
            "still; lifeboat message ls there tells"));
  }
  if (act.step().probe.empty()) return runbook::Trace{};
  runbook::CommandWish wish;
  wish.text = act.step().probe;
  wish.environment = runbook::environment_of(act, shell_.environment);
  wish.folder = session_.plan.folder;
  wish.limit = probe_limit;
  auto end = runbook::run_command(shell_.world, wish, redactor_, stop);
  if (end.data.find("code") != nullptr) {
    runbook::Trace out{end.ok, {}};
    if (!end.ok) return out;
    // Later steps need what it printed: only the probe can say that now.
    auto output = std::string(trim(end.data["output"].string()));
    auto missing = take_saved(act.step(), output, out.set);
    bool nothing = output.empty() && !act.step().save.empty();
    if (nothing && missing.empty()) missing = "printed nothing to save";
    if (missing.empty()) return out;
    return Error(ErrorKind::invalid, cat("it happened, but the probe ", missing));
  }
  return Error(ErrorKind::unavailable, cat("the probe could not tell: ", end.text));
}

ActEnd RunActs::undo(const Act& act, std::stop_token stop) {
  if (act.mode == "drill") return {true, "held", Json::object().set("held", true), {}};
  // Neither what it does nor an earlier try to take it back goes on beside this one.
  end_left_running(act);
  auto end = [&]() -> Result<ActEnd> {
    if (act.verb() == "switch") return undo_switch(act, stop);
    if (!act.step().undo.empty()) return command(act, act.step().undo, stop);
    if (act.verb() == "restore") return undo_restore(act, stop);
    return Error(ErrorKind::invalid, cat("step ", act.own.number, " has no undo:"));
  }();
  if (!end.ok()) return {false, redactor_.clean(end.error().text()), Json::object(), {}};
  end->set.clear();
  return std::move(end).take();
}

std::string RunActs::word_to_type(const Act& act) {
  plan::View what(act.step().what, no_files);
  if (!one_of(act.verb(), {"restore", "switch"}) || !what.has("to")) return "";
  auto name = act.expand(what.text("to"));
  const auto* target = name.ok() ? plan_.target(*name) : nullptr;
  return target != nullptr && target->protect ? target->name : "";
}

Status RunActs::need_repository() const {
  if (session_.repository != nullptr) return {};
  return Error(ErrorKind::unavailable, "the repository cannot be reached")
      .with_hint("its state is asked for again when the run is resumed")
      .with_exit(ExitCode::store_unreachable);
}

std::string RunActs::base_url(const Act& act) const {
  auto given = act.variables.find("restored_target");
  if (given != act.variables.end()) {
    const auto* target = plan_.target(given->second);
    if (target != nullptr && !target->url.empty()) return target->url;
  }
  for (const auto& target : plan_.targets) {
    if (target.protect && !target.url.empty()) return target.url;
  }
  for (const auto& target : plan_.targets) {
    if (!target.url.empty()) return target.url;
  }
  return "";
}

}  // namespace lb::cli
