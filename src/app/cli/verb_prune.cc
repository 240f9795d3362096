// prune: which points the plan's retain: keeps and why, then forgetting the others and freeing what
// none needs any more.
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/retain/facts.h"
#include "storage/collect/collector.h"
#include "storage/repo/merge_indexes.h"

namespace lb::cli {

namespace {

struct Removed {
  std::size_t points = 0;
  repo::LogRemoval log;
  repo::CollectReport collected;
  repo::IndexMerge merged;
};

// What is to go, before anything goes.
struct Doomed {
  retain::RetentionPlan decided;
  std::vector<std::string> points;
  std::map<std::string, std::vector<repo::LogRange>> log;
  std::uint64_t segments() const {
    std::uint64_t out = 0;
    for (const auto& [log_id, ranges] : log) {
      for (const auto& range : ranges) out += range.end - range.first;
    }
    return out;
  }
};

Result<Doomed> doom(const Session& session, Timestamp now) {
  const auto& plan = session.plan.plan;
  auto facts = LB_TRY(retain::read_facts(*session.repository, plan, now));
  std::set<std::string> stores;
  for (const auto& store : plan.stores) stores.insert(store.name);
  Doomed out;
  out.decided = retain::plan_prune(facts.points, plan.repository.retain, stores, now);
  for (const auto& each : out.decided.decisions) {
    if (!each.kept()) out.points.push_back(each.point.id);
  }
  out.log = retain::removable_log(facts.logs, out.decided, plan.repository.retain);
  return out;
}

std::string why_text(const retain::Decision& each) {
  if (!each.kept()) return "-";
  auto text = join(each.why, ", ");
  if (each.point.held && !each.point.held->why.empty()) {
    text += cat(" (", printable(each.point.held->why), ")");
  }
  return text;
}

void show_plan(Console& console, const Doomed& doomed, Timestamp now) {
  if (console.options().json) {
    Json points = Json::array();
    for (const auto& each : doomed.decided.decisions) {
      Json why = Json::array();
      for (const auto& reason : each.why) why.push(reason);
      points.push(Json::object()
                      .set("point", each.point.id)
                      .set("store", each.point.store)
                      .set("taken", format_time(each.point.taken))
                      .set("kept", each.kept())
                      .set("why", std::move(why)));
    }
    console.event(
        "lifeboat.prune-plan/1",
        Json::object().set("points", std::move(points)).set("log_segments", doomed.segments()));
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"POINT", "STORE", "TAKEN", "AGE", "DECISION", "BECAUSE"}};
  for (const auto& each : doomed.decided.decisions) {
    rows.push_back({each.point.id, printable(each.point.store),
                    each.point.damaged ? "?" : format_time_seconds(each.point.taken),
                    each.point.damaged ? "?" : human_duration(now - each.point.taken),
                    each.kept() ? "keep" : "forget", why_text(each)});
  }
  if (rows.size() > 1) console.out(table(rows, {3}));
}

// A policy that takes more than half of a store away is more often a mistake than a wish.
Status guard(const Shell& shell, const Args& args, const Session& session, const Doomed& doomed) {
  auto halved = doomed.decided.halved();
  if (halved.empty()) return {};
  const auto& system = session.plan.plan.system;
  shell.console.note(cat("host        ", shell.host, "\nrepository  ",
                         session.repository->describe(), "\nforgets     more than half of the ",
                         "points of ", join(halved, ", "), ": ", doomed.points.size(),
                         " in all, for good"));
  auto answer = args.get("confirm");
  if (answer.empty()) {
    answer = shell.console.ask(cat("Type the system's name (", system, ") to go on:"));
  }
  if (answer == system) return {};
  return Error(ErrorKind::denied, answer.empty() ? "not confirmed: nothing was removed"
                                                 : "the name does not match: nothing was removed")
      .with_hint(cat("look at the list, then type ", system, ", or give --confirm ", system))
      .with_exit(ExitCode::refused);
}

// On record before it happens, and gone when this returns; interrupted, the next run goes on.
Result<Removed> remove(const Shell& shell, const Session& session, const Doomed& doomed,
                       const repo::CollectOptions& options, state::Act& act) {
  const auto& core = *session.repository->core();
  Removed out;
  if (session.plan.plan.repository.retain.log == "deletions") {
    for (const auto& each : doomed.decided.decisions) {
      if (each.kept()) continue;
      LB_TRY(act.note(cat("Forgetting point ", each.point.id, " of ", each.point.store, ", taken ",
                          format_time(each.point.taken))));
    }
  }
  LB_TRY(repo::forget(core, doomed.points, shell.world.clock.now()).context("forget points"));
  out.points = doomed.points.size();
  out.log = LB_TRY(repo::remove_logs(core, doomed.log));
  out.collected =
      LB_TRY(repo::Collector(core, options, shell.stop).run().context("free what no point needs"));
  // Under a lock the small indexes could not go, and every run would add another merged one.
  if (!session.plan.plan.repository.immutable) {
    out.merged = LB_TRY(repo::merge_indexes(core, shell.stop).context("merge the indexes"));
  }
  return out;
}

Json json_of(const Removed& removed) {
  Json awaited = Json::array();
  for (const auto& session : removed.collected.awaited) awaited.push(session);
  return Json::object()
      .set("verb", "prune")
      .set("ok", true)
      .set("exit", 0)
      .set("points_forgotten", static_cast<std::uint64_t>(removed.points))
      .set("log_objects_removed", removed.log.objects)
      .set("log_bytes_removed", removed.log.bytes)
      .set("packs_deleted", removed.collected.deleted_packs)
      .set("bytes_freed", removed.collected.deleted_bytes)
      .set("indexes_merged", removed.merged.objects)
      .set("packs_waiting", removed.collected.condemned_packs)
      .set("bytes_waiting", removed.collected.condemned_bytes)
      .set("sessions_awaited", std::move(awaited))
      .set("sessions_aborted", static_cast<std::uint64_t>(removed.collected.aborted.size()));
}

std::string text_of(const Removed& removed, Micros took) {
  const auto& collected = removed.collected;
  auto text = cat(removed.points, " points forgotten, ", human_size(collected.deleted_bytes),
                  " freed in ", collected.deleted_packs, " packs, ", human_size(removed.log.bytes),
                  " of log in ", removed.log.objects, " objects, in ", human_duration(took), "\n");
  for (const auto& session : collected.aborted) {
    text += cat("session ", session, " did not end and was aborted: if it still runs, it fails ",
                "when it commits and its next try reuses what is there\n");
  }
  if (collected.awaited.empty()) return text;
  return text + cat(human_size(collected.condemned_bytes), " more wait for ",
                    collected.awaited.size(), " running sessions, since ",
                    format_time_seconds(repo::session_time(collected.awaited.front())),
                    "; the next prune goes on\n");
}

Result<repo::CollectOptions> read_options(const Args& args) {
  repo::CollectOptions out;
  if (!args.has("grace")) return out;
  out.grace = LB_TRY(parse_duration(args.get("grace")).context("--grace takes a time such as 24h"));
  if (out.grace < Micros(0)) return Error(ErrorKind::invalid, "--grace cannot be negative");
  return out;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto options = LB_TRY(read_options(args));
  auto session = LB_TRY(Session::open(shell, args));
  auto& console = shell.console;
  auto doomed = LB_TRY(doom(*session, shell.world.clock.now()));
  show_plan(console, doomed, shell.world.clock.now());
  if (args.has("dry-run")) {
    console.note(cat("would forget ", doomed.points.size(), " points and remove ",
                     doomed.segments(), " log segments; nothing was changed"));
    return ExitCode::ok;
  }
  LB_TRY(guard(shell, args, *session, doomed));
  auto started = shell.world.clock.steady();
  auto act = LB_TRY(state::Act::begin(
      shell.world, *session->journal, "prune", {},
      cat("Forgetting ", doomed.points.size(), " points"),
      Json::object().set("points", static_cast<std::uint64_t>(doomed.points.size()))));
  auto removed = remove(shell, *session, doomed, options, *act);
  if (!removed.ok()) {
    LB_TRY(act->finish(false, removed.error().text(), Json::object()));
    return std::move(removed).take_error();
  }
  LB_TRY(act->finish(true,
                     cat(removed->points, " points forgotten, ",
                         human_size(removed->collected.deleted_bytes), " freed"),
                     json_of(*removed)));
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (console.options().json) {
    console.event("lifeboat.summary/1", json_of(*removed));
  } else {
    console.out(text_of(*removed, shell.world.clock.steady() - started));
  }
  return ExitCode::ok;
}

}  // namespace

Verb prune_verb() {
  return {{"prune",
           "Forgets the points that retain: does not keep, and frees what no point needs.",
           {"lifeboat prune -n   # what would be kept and why; changes nothing",
            "lifeboat prune      # do it; backups may run meanwhile"},
           "prune [-n] [--confirm NAME] [--grace TIME]",
           {{"dry-run", 'n', "", "only show what would be kept and forgotten", false},
            {"confirm", 0, "NAME",
             "the system's name: go on though a store loses more than half of its points", false},
            {"grace", 0, "TIME",
             "abort a session that is older and shows no life, instead of waiting (default 24h)",
             false}},
           0},
          run};
}

}  // namespace lb::cli
