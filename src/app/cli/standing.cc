// Stores, their log and drills.
#include "app/cli/standing.h"

#include <algorithm>

#include "app/cli/alert_desk.h"
#include "app/cli/log_watch.h"
#include "foundation/base/text.h"
#include "recovery/restore/points.h"

namespace lb::cli {

namespace {

using watch::Finding;

// The newest moment the store could be brought back to, and when its last point was taken.
struct Newest {
  std::optional<Timestamp> reach, taken;
  std::size_t bad_pages = 0;  // of its source, which are in that point
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
  out.bad_pages = details.bad_pages.size();
  for (const auto& log : points.logs) {
    if (log.log_id != details.log_id) continue;
    auto window = pg::window_of(log, details, last.meta.taken);
    if (window.to && *window.to > *out.reach) out.reach = window.to;
  }
  return out;
}

// Holes are alarmed here, and archiving that fails while the server's disk fills.
Status add_log(const Shell& shell, Session& session, const plan::Store& store,
               const restore::StorePoints& points, Standing& out) {
  if (store.kind != plan::StoreKind::postgres) return {};
  const auto watch = LB_TRY(watch_log(shell, session, store, points));
  if (!watch || !watch->kept) return {};
  const auto verdict = judge_log(*watch, shell.world.clock.now());
  out.lines.push_back(
      {cat("log of ", store.name), verdict.text, verdict.state, verdict.state == "ok"});
  for (auto& finding : findings_of(*watch, store, shell.host, shell.world.clock.now()))
    out.findings.push_back(std::move(finding));
  return {};
}

void add_bare(const plan::Store& store, Standing& out) {
  const auto text = cat("There is no recovery point of ", store.name, ": lifeboat backup ",
                        store.name, " takes one.");
  out.lines.push_back({store.name, "no recovery point", "never", false});
  if (store.objective.rpo) out.findings.push_back({"rpo breached", store.name, true, text});
  if (store.every) out.findings.push_back({"backup overdue", store.name, true, text});
}

void add_damage(std::size_t bad_pages, StandingLine& line) {
  if (bad_pages == 0) return;
  line.text +=
      cat("; its source had ", bad_pages, bad_pages == 1 ? " damaged page" : " damaged pages",
          ": lifeboat show names them, older points are kept");
  if (line.good) line.state = "damaged";
  line.good = false;
}

void judge(const plan::Store& store, const Newest& newest, Timestamp now, Standing& out) {
  if (!newest.taken) return add_bare(store, out);
  StandingLine line{store.name, {}, "ok", true};
  const auto loss = now - *newest.reach;
  line.text = cat("if it failed now you would lose ", human_duration(loss), "; last point ",
                  format_time_seconds(*newest.taken));
  if (store.objective.rpo) {
    const bool breached = loss > *store.objective.rpo;
    const auto target = cat("; target RPO ", format_duration(*store.objective.rpo));
    if (breached) line = {store.name, cat(line.text, target), "breached", false};
    out.findings.push_back(
        {"rpo breached", store.name, breached,
         cat("If ", store.name, " failed now you would lose ", human_duration(loss), target, ".")});
  }
  add_damage(newest.bad_pages, line);
  if (store.log_continuous)
    out.findings.push_back(
        {"lag", cat("log of ", store.name), false,
         cat("The newest moment that can be reached is ", format_time_seconds(*newest.reach), ", ",
             human_duration(loss), " ago."),
         static_cast<double>(loss.count()) / 1e6});
  const auto due =
      store.every ? plan::next_time(*store.every, *newest.taken) : std::optional<Timestamp>();
  const bool late = due && *due < now;
  if (late) {
    line.text += cat("; a point was due ", format_time_seconds(*due));
    if (line.good) line.state = "overdue";
    line.good = false;
  }
  if (store.every)
    out.findings.push_back(
        {"backup overdue", store.name, late,
         cat("The last point of ", store.name, " is of ", format_time_seconds(*newest.taken),
             due ? cat("; the next one ", late ? "was" : "is", " due ", format_time_seconds(*due))
                 : std::string(),
             ".")});
  out.lines.push_back(std::move(line));
}

Status add_store(const Shell& shell, Session& session, const plan::Store& store, Standing& out) {
  restore::StorePoints points;
  if (has_points(store)) points = LB_TRY(restore::read_points(*session.repository, store));
  const auto newest = LB_TRY(newest_of(points, store));
  judge(store, newest, shell.world.clock.now(), out);
  return add_log(shell, session, store, points, out);
}

std::string told_of(const record::DrillRecord& last) {
  return cat("Drill ", last.drill, " of ", format_time_seconds(last.started), ": ",
             record::name_of(last.verdict), last.reason.empty() ? "" : ": ", last.reason,
             "\n\nlifeboat report ", last.id, "   prints what happened");
}

void add_drill(const plan::Drill& drill, const record::DrillRecord* last, Timestamp now,
               Standing& out) {
  StandingLine line{cat("drill ", drill.name), "never ran", "ok", true};
  const bool failed = last != nullptr && last->verdict != record::Verdict::pass;
  out.findings.push_back(
      {"drill failed", drill.name, failed, last == nullptr ? std::string() : told_of(*last)});
  if (last == nullptr) {
    line.state = "never";
    line.good = !drill.every;
    if (drill.every)
      out.findings.push_back({"drill overdue", drill.name, true, "It has never run."});
    out.lines.push_back(std::move(line));
    return;
  }
  line.text = cat("last ", record::name_of(last->verdict), " ", format_time_seconds(last->started));
  line.good = !failed;
  if (failed) line.state = "failed";
  const auto due =
      drill.every ? plan::next_time(*drill.every, last->started) : std::optional<Timestamp>();
  const bool late = due && *due < now;
  if (late) {
    line.text += cat("; was due ", format_time_seconds(*due));
    line.state = "overdue";
    line.good = false;
  } else if (due) {
    line.text += cat("; next ", format_time_seconds(*due));
  }
  if (drill.every)
    out.findings.push_back({"drill overdue", drill.name, late, cat("Drill ", line.text, ".")});
  out.lines.push_back(std::move(line));
}

Status add_drills(const Shell& shell, Session& session, Standing& out) {
  const auto records = LB_TRY(state::drills(*session.repository));
  for (const auto& drill : session.plan.plan.drills) {
    const record::DrillRecord* last = nullptr;
    for (const auto& record : records) {
      if (record.drill == drill.name) last = &record;
    }
    add_drill(drill, last, shell.world.clock.now(), out);
  }
  return {};
}

}  // namespace

bool Standing::good() const {
  return std::all_of(lines.begin(), lines.end(), [](const auto& line) { return line.good; });
}

const std::vector<std::string>& events_looked_at_whole() {
  static const std::vector<std::string> events = {"rpo breached", "backup overdue",
                                                  "drill failed", "drill overdue",
                                                  "rto breached", "approval late"};
  return events;
}

Status add_stores(const Shell& shell, Session& session, Standing& out) {
  for (const auto& store : session.plan.plan.stores) LB_TRY(add_store(shell, session, store, out));
  return add_drills(shell, session, out);
}

Result<Standing> look_at_all(const Shell& shell, Session& session) {
  Standing out;
  // The mirror is a write: what cannot be written here is wrong whatever else is right.
  auto mirrored = session.journal->mirror(*session.repository);
  if (!mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  out.findings.push_back({"write failed", cat("the repository, from ", shell.host), !mirrored.ok(),
                          mirrored.ok() ? std::string() : mirrored.error().text()});
  out.findings.push_back({"repository unreachable", cat("from ", shell.host), false, {}});
  out.findings.push_back({"key unreachable", cat("from ", shell.host), false, {}});
  LB_TRY(add_stores(shell, session, out));
  add_places(shell, session, out);
  add_load(shell, session, out);
  LB_TRY(add_people(shell, session, out));
  add_estimates(shell, session, out);
  for (const auto& entry : LB_TRY(session.journal->interrupted())) {
    out.lines.push_back(
        {entry.act, cat("began ", format_time_seconds(entry.at), " and never ended: ", entry.text),
         "interrupted", false});
  }
  return out;
}

Result<Standing> look_and_tell(const Shell& shell, Session& session) {
  auto standing = LB_TRY(look_at_all(shell, session));
  tell_people(shell, session, standing.findings, events_looked_at_whole());
  const auto path = path_join(session.state_folder, "journal.sqlite");
  auto outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
  LB_TRY(add_messages(shell, *outbox, standing));
  return standing;
}

}  // namespace lb::cli
