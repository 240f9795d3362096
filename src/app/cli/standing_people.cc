// Incidents, runs that wait for people, tasks, messages.
#include <algorithm>

#include "app/cli/estimate_watch.h"
#include "app/cli/incident_desk.h"
#include "app/cli/run_desk.h"
#include "app/cli/standing.h"
#include "app/cli/task_desk.h"
#include "foundation/base/text.h"
#include "operations/notify/messages.h"
#include "operations/runbook/judge.h"

namespace lb::cli {

namespace {

using runbook::Need;
using runbook::StepStatus;

constexpr std::size_t looked_at_max = 10'000;
constexpr Micros late_after = std::chrono::hours(1);      // of a draft
constexpr Micros stuck_after = std::chrono::minutes(30);  // of a message
constexpr Micros lost_shown = std::chrono::hours(24);

// An open incident is an alarm until somebody has answered, and again when its time is over.
void add_incident(const Shell& shell, const plan::Plan& plan, const std::string& id,
                  const incident::IncidentState& state, Standing& out) {
  if (state.closed) return;
  const auto now = shell.world.clock.now();
  StandingLine line{cat("incident ", id), cat(state.severity, " ", printable(state.title)),
                    standing_of(state), state.acknowledged.has_value()};
  if (!state.acknowledged) {
    const auto next = next_for(shell, plan, state);
    line.text += cat(": nobody has answered; ", text_of(next, now));
  } else {
    line.text += cat(": ", state.acknowledged->by, " looks after it");
  }
  const auto countdown = incident::countdown_of(plan, state, now);
  const bool missed = countdown && countdown->left < Micros(0);
  if (missed) {
    line.text += cat("; target RTO ", format_duration(countdown->target), " of ", countdown->of,
                     " is missed");
    line.good = false;
  }
  if (countdown)
    out.findings.push_back({"rto breached", line.what, missed, cat(printable(line.text), ".")});
  for (const auto& unproven : state.unproven) {
    line.text += cat("; ", unproven);
    line.good = false;
  }
  out.lines.push_back(std::move(line));
}

Status add_incidents(const Shell& shell, Session& session, Standing& out) {
  state::FactLog log(*session.journal, session.repository.get(), "incident");
  const auto& plan = session.plan.plan;
  const auto ids = LB_TRY(log.members(true));
  for (const auto& id : ids) {
    auto added = [&]() -> Status {
      const auto facts = LB_TRY(log.facts(id, true));
      const auto state = LB_TRY(incident::fold(plan, id, facts));
      add_incident(shell, plan, id, state, out);
      return {};
    }();
    if (!added.ok())
      out.lines.push_back({cat("incident ", id), added.error().text(), "unreadable", false});
  }
  return {};
}

// A decision of which less than a quarter of its time is left, or none because nobody drives the
// run and asks anew. One that was asked for anew is not answered by that, so that is no news.
void add_decision(const RunDesk& desk, const runbook::StepState& step, std::size_t number,
                  Timestamp now, Standing& out) {
  const auto until = parse_time(step.asks["expires"].string());
  if (!until.ok()) return;
  const auto what = cat("run ", desk.run, ", step ", number);
  const auto people = runbook::deciders_of(desk.plan, *desk.script.at(number).step);
  const auto who = join(std::vector<std::string>(people.begin(), people.end()), ", ");
  const bool over = now > *until;
  const bool late = over || *until - now < (*until - step.asked) / 4;
  const auto text =
      cat("waits for the decision of ", who, " since ", format_time_seconds(step.asked),
          over ? "; its time ended " : "; its time ends ", format_time_seconds(*until));
  out.lines.push_back({what, cat(desk.runbook, " ", text), late ? "late" : "waits", !late});
  out.findings.push_back(
      {"approval late", what, late,
       cat("Runbook ", desk.runbook, " ", text,
           ".\n\nlifeboat approve, deny   decide; lifeboat resume ", desk.run, "   asks anew")});
}

Status add_run(state::RunLog& log, const state::RunHead& head, Timestamp now, Standing& out) {
  RunDesk desk;
  desk.run = head.id;
  desk.runbook = head.runbook;
  LB_TRY(read_run(log, desk));
  const auto state = LB_TRY(runbook::fold(desk.script, desk.run, desk.events));
  if (state.closed || state.mode == "drill") return {};
  const auto before = out.lines.size();
  for (std::size_t number = 1; number <= state.steps.size(); ++number) {
    const auto& step = state.at(number);
    if (step.status == StepStatus::asks && step.need == Need::decision)
      add_decision(desk, step, number, now, out);
  }
  if (out.lines.size() > before) return {};
  const auto turn = runbook::frontier(desk.script, state);
  const auto at = turn.empty() ? std::string() : cat(" at step ", turn.front());
  out.lines.push_back({cat("run ", head.id),
                       cat(head.runbook, " is open", at, " since ",
                           format_time_seconds(state.last_event), ": lifeboat run show ", head.id),
                       "open", true});
  return {};
}

// Runs that have not ended, from whatever machine.
Status add_runs(const Shell& shell, Session& session, Standing& out) {
  state::RunLog log(*session.journal, session.repository.get());
  const auto heads = LB_TRY(log.runs(true));
  for (const auto& head : heads) {
    if (head.closed) continue;
    auto added = add_run(log, head, shell.world.clock.now(), out);
    if (!added.ok())
      out.lines.push_back({cat("run ", head.id), added.error().text(), "unreadable", false});
  }
  return {};
}

Status add_tasks(const Shell& shell, Session& session, Standing& out) {
  auto log = tasks_of(session);
  std::vector<std::string> unreadable;
  auto tasks = LB_TRY(all_tasks(session.plan.plan, log, unreadable));
  add_scheduled(shell, session.plan.plan, log, tasks);
  alert_overdue(shell, session, log, tasks);
  const auto now = shell.world.clock.now();
  for (const auto& task : tasks) {
    if (!task.overdue(now)) continue;
    const auto owner = task.owner.empty() ? std::string("nobody's") : cat("of ", task.owner);
    out.lines.push_back(
        {cat("task ", task.id),
         cat(printable(task.text), " (", owner, "), due ", format_time_seconds(*task.due)),
         "overdue", false});
  }
  for (const auto& line : unreadable) out.lines.push_back({"task", line, "unreadable", false});
  return {};
}

void add_drafts(const std::vector<state::Draft>& drafts, Timestamp now, Standing& out) {
  for (const auto& draft : drafts) {
    const bool approved = draft.state == state::Draft::State::approved;
    if (draft.state != state::Draft::State::draft && !approved) continue;
    const auto since = approved ? draft.approved_at : draft.made;
    const bool late = now - since > late_after;
    const auto who = draft.body["approve"].string();
    out.lines.push_back(
        {cat("draft ", draft.id),
         cat(printable(draft.body["letter"]["subject"].string()),
             approved ? cat(" is approved and not sent: lifeboat message send ", draft.id)
                      : cat(" waits for ", who, ": lifeboat message approve ", draft.id),
             ", since ", format_time_seconds(since)),
         late ? "late" : "waits", !late});
    out.findings.push_back(
        {"approval late", cat("draft ", draft.id), late,
         cat("A message has waited for ", who, " since ", format_time_seconds(since), ".")});
  }
}

}  // namespace

// A runbook that takes longer than its objective half of the time is an objective that is missed.
void add_estimates(const Shell& shell, Session& session, Standing& out) {
  for (const auto& each : estimates_far_off(shell, session))
    out.lines.push_back({cat("runbook ", each.runbook),
                         cat(each.text, "; lifeboat forecast ", each.runbook),
                         each.often ? "too slow" : "slow at times", !each.often});
}

Status add_people(const Shell& shell, Session& session, Standing& out) {
  LB_TRY(add_incidents(shell, session, out));
  LB_TRY(add_runs(shell, session, out));
  LB_TRY(add_tasks(shell, session, out));
  const auto path = path_join(session.state_folder, "journal.sqlite");
  auto outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
  const auto drafts = LB_TRY(outbox->drafts(looked_at_max));
  add_drafts(drafts, shell.world.clock.now(), out);
  return {};
}

Status add_messages(const Shell& shell, state::Outbox& outbox, Standing& out) {
  const auto now = shell.world.clock.now();
  const state::OutboxItem* oldest = nullptr;
  std::size_t waiting = 0;
  const auto items = LB_TRY(outbox.items(looked_at_max));
  for (const auto& item : items) {
    if (item.state == state::OutboxItem::State::waiting) {
      ++waiting;
      if (oldest == nullptr) oldest = &item;
    }
    const bool lost = item.state == state::OutboxItem::State::undelivered;
    if (lost && now - item.made < lost_shown)
      out.lines.push_back({cat("message ", item.id),
                           cat(printable(item.letter["subject"].string()), " of ",
                               format_time_seconds(item.made), ": ", printable(item.note)),
                           "undelivered", false});
  }
  if (oldest == nullptr) return {};
  const bool stuck = now - oldest->made > stuck_after;
  out.lines.push_back(
      {"messages",
       cat(waiting, waiting == 1 ? " waits" : " wait", " to be delivered, the oldest since ",
           format_time_seconds(oldest->made), " (for ", oldest->to,
           oldest->note.empty() ? std::string() : cat(": ", printable(oldest->note)),
           "); lifeboat watch goes on trying"),
       stuck ? "stuck" : "waits", !stuck});
  return {};
}

}  // namespace lb::cli
