#include "app/cli/copies.h"
#include "app/cli/incident_desk.h"
#include "app/cli/lock_watch.h"
#include "app/cli/log_watch.h"
#include "app/cli/task_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/restore/points.h"

namespace lb::cli {

namespace {

struct Line {
  std::string store, text, state;  // "ok", "overdue", "breached", "never", "ending" and others
  bool good = true;
};

// The newest moment the store could be brought back to, and when its last point was taken.
struct Newest {
  std::optional<Timestamp> reach, taken;
};

bool has_points(const plan::Store& store) {
  return store.kind == plan::StoreKind::postgres || store.kind == plan::StoreKind::files;
}

Result<Newest> newest_of(const restore::StorePoints& points, const plan::Store& store) {
  Newest out;
  if (points.snapshots.empty()) return out;
  const auto& last = points.snapshots.back();
  out.taken = last.meta.taken;
  out.reach = last.meta.taken;
  if (store.kind != plan::StoreKind::postgres) return out;
  auto details = LB_TRY(pg::decode_details(last.meta.details));
  for (const auto& log : points.logs) {
    if (log.log_id != details.log_id) continue;
    auto window = pg::window_of(log, details, last.meta.taken);
    if (window.to && *window.to > *out.reach) out.reach = window.to;
  }
  return out;
}

// Holes are alarmed here, and archiving that fails while the server's disk fills.
Result<std::optional<Line>> judge_store_log(const Shell& shell, Session& session,
                                            const plan::Store& store,
                                            const restore::StorePoints& points) {
  if (store.kind != plan::StoreKind::postgres) return std::optional<Line>();
  const auto watch = LB_TRY(watch_log(shell, session, store, points));
  if (!watch || !watch->kept) return std::optional<Line>();
  const auto verdict = judge_log(*watch, shell.world.clock.now());
  return std::optional<Line>(
      Line{cat("log of ", store.name), verdict.text, verdict.state, verdict.state == "ok"});
}

Line judge(const plan::Store& store, const Newest& newest, Timestamp now) {
  Line line{store.name, {}, "ok", true};
  auto bad = [&](const std::string& state) {
    line.state = state;
    line.good = false;
  };
  if (!newest.taken) {
    line.text = "no recovery point";
    bad("never");
    return line;
  }
  auto loss = now - *newest.reach;
  line.text = cat("if it failed now you would lose ", human_duration(loss), "; last point ",
                  format_time_seconds(*newest.taken));
  if (store.objective.rpo && loss > *store.objective.rpo) {
    line.text += cat("; target RPO ", format_duration(*store.objective.rpo));
    bad("breached");
  }
  if (!store.every) return line;
  auto due = plan::next_time(*store.every, *newest.taken);
  if (due && *due < now) {
    line.text += cat("; a point was due ", format_time_seconds(*due));
    if (line.good) bad("overdue");
  }
  return line;
}

Status add_store(const Shell& shell, Session& session, const plan::Store& store,
                 std::vector<Line>& lines) {
  restore::StorePoints points;
  if (has_points(store)) points = LB_TRY(restore::read_points(*session.repository, store));
  const auto newest = LB_TRY(newest_of(points, store));
  lines.push_back(judge(store, newest, shell.world.clock.now()));
  const auto log = LB_TRY(judge_store_log(shell, session, store, points));
  if (log) lines.push_back(*log);
  return {};
}

Line judge_drill(const plan::Drill& drill, const std::vector<record::DrillRecord>& records,
                 Timestamp now) {
  Line line{cat("drill ", drill.name), "never ran", "ok", true};
  const record::DrillRecord* last = nullptr;
  for (const auto& record : records) {
    if (record.drill == drill.name) last = &record;
  }
  if (last == nullptr) {
    line.state = "never";
    line.good = !drill.every;
    return line;
  }
  line.text = cat("last ", record::name_of(last->verdict), " ", format_time_seconds(last->started));
  line.good = last->verdict == record::Verdict::pass;
  if (!line.good) line.state = "failed";
  auto due = drill.every ? plan::next_time(*drill.every, last->started) : std::nullopt;
  if (due && *due < now) {
    line.text += cat("; was due ", format_time_seconds(*due));
    line.state = "overdue";
    line.good = false;
  } else if (due) {
    line.text += cat("; next ", format_time_seconds(*due));
  }
  return line;
}

// A copy that cannot be asked is no copy today.
Line judge_copy(const Shell& shell, Session& session, const plan::Copy& copy) {
  Line line{cat("copy ", copy.at.text()), {}, "ok", true};
  auto judged = [&]() -> Result<LagJudgement> {
    auto place = LB_TRY(open_copy_place(shell, *session.references, copy, MissingFolder::refuse));
    auto there = LB_TRY(repo::open_copy(*session.repository, *place.blobs));
    auto lag = LB_TRY(lag_of(*session.repository, *there));
    return judge_lag(lag, copy, shell.world.clock.now());
  }();
  if (judged.ok()) {
    line.text = judged->text;
    line.good = !judged->late;
    if (judged->late) line.state = "late";
    return line;
  }
  bool never = judged.error().exit_code() == ExitCode::no_repository;
  line.text = never ? "was never made: lifeboat copy sync" : judged.error().text();
  line.state = never ? "never" : "unreachable";
  line.good = false;
  return line;
}

// The locks of a place, and what keeps them from ending there.
struct LockedPlace {
  std::string what, verb, act;
  Micros period{0};
  BlobStore* blobs = nullptr;
};

Result<Line> judge_place(const Shell& shell, Session& session, const LockedPlace& place) {
  LockSample sample;
  sample.points = LB_TRY(session.repository->snapshots());
  auto end = LB_TRY(first_lock_end(*place.blobs, sample, shell.stop));
  auto told = LB_TRY(last_known_end(*session.journal, place.act));
  if (end && told) end = std::min(*end, *told);
  auto judged = judge_locks(end, place.period, place.verb, shell.world.clock.now());
  return Line{place.what, judged.text, judged.state, judged.state == "ok"};
}

void add_locks(const Shell& shell, Session& session, std::vector<Line>& lines) {
  auto add = [&](const std::string& what, Result<Line> line) {
    lines.push_back(line.ok() ? std::move(line).take()
                              : Line{what, line.error().text(), "unknown", false});
  };
  const auto& repository = session.plan.plan.repository;
  if (repository.immutable) {
    LockedPlace place{"locks", "prune", "prune", *repository.immutable, session.blobs.get()};
    add(place.what, judge_place(shell, session, place));
  }
  for (const auto& copy : repository.copies) {
    if (!copy.immutable) continue;
    auto opened = open_copy_place(shell, *session.references, copy, MissingFolder::refuse);
    if (!opened.ok()) continue;  // said where the copy is judged
    LockedPlace place{cat("locks of copy ", opened->name), "copy sync",
                      cat("copy sync ", opened->name), *copy.immutable, opened->blobs.get()};
    add(place.what, judge_place(shell, session, place));
  }
}

// An open incident is an alarm until somebody has answered, and again when its time is over.
Result<std::optional<Line>> judge_incident(const Shell& shell, const plan::Plan& plan,
                                           state::FactLog& log, const std::string& id) {
  const auto facts = LB_TRY(log.facts(id, true));
  const auto state = LB_TRY(incident::fold(plan, id, facts));
  if (state.closed) return std::optional<Line>();
  const auto now = shell.world.clock.now();
  Line line{cat("incident ", id), cat(state.severity, " ", printable(state.title)),
            standing_of(state), state.acknowledged.has_value()};
  if (!state.acknowledged) {
    const auto next = LB_TRY(next_for(shell, plan, state));
    line.text += cat(": nobody has answered; ", text_of(next, now));
  } else {
    line.text += cat(": ", state.acknowledged->by, " looks after it");
  }
  const auto countdown = incident::countdown_of(plan, state, now);
  if (countdown && countdown->left < Micros(0)) {
    line.text += cat("; target RTO ", format_duration(countdown->target), " of ", countdown->of,
                     " is missed");
    line.good = false;
  }
  for (const auto& unproven : state.unproven) {
    line.text += cat("; ", unproven);
    line.good = false;
  }
  return std::optional(std::move(line));
}

Status add_incidents(const Shell& shell, Session& session, std::vector<Line>& lines) {
  state::FactLog log(*session.journal, session.repository.get(), "incident");
  const auto ids = LB_TRY(log.members(true));
  for (const auto& id : ids) {
    auto line = judge_incident(shell, session.plan.plan, log, id);
    if (!line.ok()) {
      lines.push_back({cat("incident ", id), line.error().text(), "unreadable", false});
    } else if (*line) {
      lines.push_back(std::move(**line));
    }
  }
  return {};
}

Status add_tasks(const Shell& shell, Session& session, std::vector<Line>& lines) {
  auto log = tasks_of(session);
  std::vector<std::string> unreadable;
  auto tasks = LB_TRY(all_tasks(session.plan.plan, log, unreadable));
  add_scheduled(shell, session.plan.plan, log, tasks);
  alert_overdue(shell, session, log, tasks);
  const auto now = shell.world.clock.now();
  for (const auto& task : tasks) {
    if (!task.overdue(now)) continue;
    const auto owner = task.owner.empty() ? std::string("nobody's") : cat("of ", task.owner);
    lines.push_back(
        {cat("task ", task.id),
         cat(printable(task.text), " (", owner, "), due ", format_time_seconds(*task.due)),
         "overdue", false});
  }
  for (const auto& line : unreadable) lines.push_back({"task", line, "unreadable", false});
  return {};
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto now = shell.world.clock.now();
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  std::vector<Line> lines;
  for (const auto& store : session->plan.plan.stores) {
    LB_TRY(add_store(shell, *session, store, lines));
  }
  auto drills = LB_TRY(state::drills(*session->repository));
  for (const auto& drill : session->plan.plan.drills)
    lines.push_back(judge_drill(drill, drills, now));
  for (const auto& copy : session->plan.plan.repository.copies)
    lines.push_back(judge_copy(shell, *session, copy));
  add_locks(shell, *session, lines);
  LB_TRY(add_incidents(shell, *session, lines));
  LB_TRY(add_tasks(shell, *session, lines));
  auto interrupted = LB_TRY(session->journal->interrupted());
  bool good = interrupted.empty();
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"WHAT", "STATE", "IN WORDS"}};
  for (const auto& line : lines) {
    good = good && line.good;
    rows.push_back({line.store, line.state, line.text});
    list.push(
        Json::object().set("what", line.store).set("state", line.state).set("text", line.text));
  }
  for (const auto& entry : interrupted) {
    rows.push_back(
        {entry.act, "interrupted",
         cat("began ", format_time_seconds(entry.at), " and never ended: ", entry.text)});
    list.push(
        Json::object().set("what", entry.act).set("state", "interrupted").set("text", entry.text));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.status/1",
                        Json::object().set("ok", good).set("lines", std::move(list)));
  } else {
    shell.console.out(table(rows));
  }
  return good ? ExitCode::ok : ExitCode::check_not_met;
}

}  // namespace

Verb status_verb() {
  return {{"status",
           "Says what would be lost now, what is overdue, and what was interrupted. Exit 4 if "
           "anything is.",
           {"lifeboat status          # for people", "lifeboat status --json   # for a monitor"},
           "status",
           {},
           0},
          run};
}

}  // namespace lb::cli
