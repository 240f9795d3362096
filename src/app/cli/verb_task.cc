// task ls, add, done: what is left to do afterwards, with an owner and a date.
#include <algorithm>

#include "app/cli/identity.h"
#include "app/cli/run_desk.h"
#include "app/cli/task_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

using incident::TaskState;

static constexpr Micros send_time = Seconds(10);

state::FactLog tasks_of(const Session& session) {
  return {*session.journal, session.repository.get(), "task"};
}

Result<std::vector<TaskState>> all_tasks(const plan::Plan& plan, state::FactLog& log,
                                         std::vector<std::string>& unreadable) {
  std::vector<TaskState> out;
  const auto ids = LB_TRY(log.members(true));
  for (const auto& id : ids) {
    auto facts = log.facts(id, true);
    auto task =
        facts.ok() ? incident::fold_task(plan, id, *facts) : Result<TaskState>(facts.error());
    if (task.ok()) {
      for (const auto& line : task->unproven) unreadable.push_back(cat("task ", id, ": ", line));
      out.push_back(std::move(task).take());
    } else {
      unreadable.push_back(cat("task ", id, ": ", task.error().text()));
    }
  }
  return out;
}

static Status put_fact(const Shell& shell, const plan::Plan& plan, state::FactLog& log,
                       const std::string& id, record::Fact fact, const Signer* signer = nullptr) {
  const auto known = LB_TRY(log.facts(id, true));
  fact.order = record::next_order(known);
  fact.at = shell.world.clock.now();
  fact.id = log.fresh_id();
  LB_TRY(say_who(shell, plan, signer, "task", id, fact));
  LB_TRY(log.put(id, fact));
  if (!log.behind().empty())
    shell.console.warn(cat("known on this machine only for now: ", log.behind(),
                           "; lifeboat task ls here sends it"));
  return {};
}

Result<bool> add_task(const Shell& shell, const plan::Plan& plan, state::FactLog& log,
                      TaskState& task) {
  if (task.id.empty()) task.id = log.fresh_id();
  const auto known = LB_TRY(log.facts(task.id, true));
  if (!known.empty()) return false;
  record::Fact fact;
  fact.kind = incident::kind::added;
  fact.text = task.text;
  fact.data = Json::object()
                  .set("text", task.text)
                  .set("owner", task.owner)
                  .set("run", task.run)
                  .set("due", task.due ? Json(format_time(*task.due)) : Json());
  LB_TRY(put_fact(shell, plan, log, task.id, std::move(fact)));
  return true;
}

Status post_overdue(const Shell& shell, const Session& session, notify::Postman& postman,
                    state::FactLog& log, const std::vector<TaskState>& tasks) {
  const auto told =
      LB_TRY(incident::tell_overdue({shell.world, session.plan.plan, postman, log, shell.host,
                                     cat(shell.host, ":", session.state_folder)},
                                    tasks));
  const auto to = join(incident::told_of_overdue(session.plan.plan), ", ");
  for (const auto& text : told)
    shell.console.note(cat("told ", to, ": overdue: ", printable(text)));
  if (!told.empty() && !log.behind().empty())
    shell.console.warn(cat("that people were told is known on this machine only for now: ",
                           log.behind(), "; another may tell them too"));
  return {};
}

void alert_overdue(const Shell& shell, Session& session, state::FactLog& log,
                   const std::vector<TaskState>& tasks) {
  const auto now = shell.world.clock.now();
  const bool any =
      std::any_of(tasks.begin(), tasks.end(), [&](const auto& task) { return task.overdue(now); });
  if (!any || incident::told_of_overdue(session.plan.plan).empty()) return;
  auto alerted = [&]() -> Status {
    const auto path = path_join(session.state_folder, "journal.sqlite");
    auto outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
    notify::Postman postman(shell.world, session.plan.plan, *session.references, *session.journal,
                            *outbox);
    LB_TRY(post_overdue(shell, session, postman, log, tasks));
    auto carried = LB_TRY(postman.drain(send_time, shell.stop));
    const auto waiting = LB_TRY(outbox->waiting());
    if (carried.undelivered + waiting > 0)
      shell.console.warn(cat(carried.undelivered, " messages could not be delivered, ", waiting,
                             " wait in the outbox: lifeboat message ls shows them"));
    return {};
  }();
  if (!alerted.ok())
    shell.console.warn(cat("not everybody was told of what is overdue: ", alerted.error().text()));
}

void add_scheduled(const Shell& shell, const plan::Plan& plan, state::FactLog& log,
                   std::vector<TaskState>& tasks) {
  for (const auto& each : incident::scheduled_of(plan)) {
    auto next = incident::next_of(each, tasks, shell.world.clock.now());
    if (!next) continue;
    auto added = add_task(shell, plan, log, *next);
    if (!added.ok()) {
      shell.console.warn(cat(each.text, " is not kept as a task: ", added.error().text()));
      continue;
    }
    tasks.push_back(std::move(*next));
  }
}

namespace {

// "7d" from now, or a time.
Result<Timestamp> due_of(const Shell& shell, const std::string& text) {
  auto duration = parse_duration(text);
  if (duration.ok()) return shell.world.clock.now() + *duration;
  auto time = parse_time(text);
  if (time.ok()) return *time;
  return Error(ErrorKind::invalid, cat("--due ", printable(text), " is no time and no duration"))
      .with_hint("write 7d, or 2026-02-01T00:00:00Z");
}

std::string state_of(const TaskState& task, Timestamp now) {
  if (task.done) return "done";
  return task.overdue(now) ? "overdue" : "open";
}

Json json_of(const TaskState& task, Timestamp now) {
  return Json::object()
      .set("task", task.id)
      .set("state", state_of(task, now))
      .set("text", task.text)
      .set("owner", task.owner)
      .set("due", task.due ? Json(format_time(*task.due)) : Json())
      .set("run", task.run)
      .set("added_by", task.added_by)
      .set("done_by", task.done ? task.done->by : std::string())
      .set("done_text", task.done_text);
}

Result<ExitCode> list(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto log = tasks_of(*desk.session);
  const auto& plan = desk.session->plan.plan;
  const auto now = shell.world.clock.now();
  std::vector<std::string> unreadable;
  std::vector<std::vector<std::string>> rows = {{"TASK", "STATE", "DUE", "OWNER", "WHAT"}};
  Json lines = Json::array();
  auto tasks = LB_TRY(all_tasks(plan, log, unreadable));
  add_scheduled(shell, plan, log, tasks);
  alert_overdue(shell, *desk.session, log, tasks);
  for (const auto& task : tasks) {
    if (task.done && !args.has("all")) continue;
    auto what = printable(task.text);
    if (task.done)
      what += cat(" (", task.done->by, task.done_text.empty() ? "" : ": ",
                  printable(task.done_text), ")");
    rows.push_back({task.id, state_of(task, now),
                    task.due ? format_time_seconds(*task.due).substr(0, 10) : std::string("-"),
                    task.owner.empty() ? std::string("nobody yet") : task.owner, what});
    lines.push(json_of(task, now));
  }
  for (const auto& line : unreadable) shell.console.warn(line);
  if (shell.console.options().json) {
    shell.console.event("lifeboat.tasks/1", Json::object().set("tasks", std::move(lines)));
  } else {
    shell.console.out(rows.size() == 1 ? std::string("nothing is left to do") : table(rows));
  }
  return unreadable.empty() ? ExitCode::ok : ExitCode::failed;
}

Result<ExitCode> tell(const Shell& shell, const char* verb, const TaskState& task,
                      const std::string& text) {
  if (!shell.console.options().json) shell.console.out(text);
  auto out = json_of(task, shell.world.clock.now());
  shell.console.event("lifeboat.summary/1", out.set("verb", verb).set("ok", true).set("exit", 0));
  return ExitCode::ok;
}

Result<ExitCode> add(const Shell& shell, const Args& args) {
  if (args.positionals.empty() || trim(args.positionals[0]).empty())
    return Error(ErrorKind::invalid, "task add takes what is to be done, in words");
  TaskState task;
  task.text = args.positionals[0];
  task.owner = args.get("owner");
  if (args.has("due")) task.due = LB_TRY(due_of(shell, args.get("due")));
  auto desk = LB_TRY(open_run_desk(shell, args));
  const auto& plan = desk.session->plan.plan;
  if (!task.owner.empty() && plan.person(task.owner) == nullptr) {
    return Error(ErrorKind::invalid,
                 cat("people: of the plan has no '", printable(task.owner), "'"));
  }
  auto log = tasks_of(*desk.session);
  LB_TRY(add_task(shell, plan, log, task));
  return tell(shell, "task add", task, cat("task ", task.id, " is added"));
}

Result<ExitCode> done(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "which task?").with_hint("lifeboat task ls lists them");
  const auto signer = LB_TRY(signer_of(shell, args));
  auto desk = LB_TRY(open_run_desk(shell, args));
  auto log = tasks_of(*desk.session);
  const auto& plan = desk.session->plan.plan;
  const auto& named = args.positionals[0];
  std::vector<std::string> unreadable;
  std::vector<TaskState> fitting;
  for (auto& task : LB_TRY(all_tasks(plan, log, unreadable))) {
    if (task.id.starts_with(named) || task.id.ends_with(named)) fitting.push_back(std::move(task));
  }
  if (fitting.size() != 1) {
    return Error(fitting.empty() ? ErrorKind::not_found : ErrorKind::invalid,
                 cat(fitting.size(), " tasks fit '", printable(named), "'"))
        .with_hint("lifeboat task ls lists them");
  }
  auto& task = fitting.front();
  if (task.done) {
    return tell(shell, "task done", task,
                cat("it was done at ", format_time_seconds(task.done->at), " by ", task.done->by));
  }
  record::Fact fact;
  fact.kind = incident::kind::done;
  fact.text = args.get("message");
  LB_TRY(put_fact(shell, plan, log, task.id, std::move(fact), signer ? &*signer : nullptr));
  const auto facts = LB_TRY(log.facts(task.id, false));
  task = LB_TRY(incident::fold_task(plan, task.id, facts));
  return tell(shell, "task done", task, cat("task ", task.id, " is done"));
}

}  // namespace

std::vector<Verb> task_verbs() {
  return {
      {{"task ls",
        "Lists what is left to do, with owners and dates: after runs and incidents, and the "
        "reviews "
        "that the plan asks for again and again.",
        {"lifeboat task ls         # what is open", "lifeboat task ls --all   # and what was done"},
        "task ls [--all]",
        {{"all", 0, "", "those that are done, too", false}},
        0},
       list},
      {{"task add",
        "Adds something to be done; status raises an alarm when its date has passed.",
        {"lifeboat task add \"order a larger disk\" --owner dba --due 7d",
         "lifeboat task add \"review the contacts\" --due 2026-02-01T00:00:00Z"},
        "task add TEXT [--owner PERSON] [--due TIME|DURATION]",
        {{"owner", 0, "PERSON", "of the plan's people", false},
         {"due", 0, "TIME", "a time, or a duration from now", false}},
        1},
       add},
      {{"task done",
        "Says that a task is done.",
        {"lifeboat task done 5f0c31d2 -m \"ordered, arrives on Monday\"",
         "lifeboat task done 5f0c31d2   # the end of its id is enough"},
        "task done ID [-m TEXT] [--key FILE --as PERSON]",
        {{"message", 'm', "TEXT", "what was done", false},
         identity_flags()[0],
         identity_flags()[1]},
        1},
       done}};
}

}  // namespace lb::cli
