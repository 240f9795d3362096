// wal ls: what of a log is stored, what is on its way, what is gone.
#include "app/cli/agent_desk.h"
#include "app/cli/log_watch.h"
#include "app/cli/suspicious.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

std::string name_in(const LogWatch& watch, std::uint32_t timeline, std::uint64_t segment) {
  return pg::segment_name(timeline, segment, watch.state.segment_bytes);
}

Json to_json(const LogWatch& watch, const LogVerdict& verdict) {
  Json runs = Json::array();
  for (const auto& run : watch.state.runs) {
    runs.push(Json::object()
                  .set("state", archive::name_of(run.state))
                  .set("first", name_in(watch, run.timeline, run.first))
                  .set("last", name_in(watch, run.timeline, run.last))
                  .set("segments", run.count()));
  }
  return Json::object()
      .set("log", watch.state.log_id)
      .set("state", verdict.state)
      .set("text", verdict.text)
      .set("whole", watch.state.whole())
      .set("lost", watch.state.lost)
      .set("missing", watch.state.missing)
      .set("delayed_bytes", watch.state.delayed_bytes)
      .set("server_asked", watch.server.has_value())
      .set("runs", std::move(runs));
}

std::string to_text(const LogWatch& watch, const LogVerdict& verdict) {
  std::vector<std::vector<std::string>> rows = {{"STATE", "FROM", "TO", "SEGMENTS"}};
  for (const auto& run : watch.state.runs) {
    rows.push_back({std::string(archive::name_of(run.state)),
                    name_in(watch, run.timeline, run.first), name_in(watch, run.timeline, run.last),
                    human_count(run.count())});
  }
  return cat(table(rows, {3}), "log: ", verdict.state, ": ", verdict.text, "\n");
}

// "any moment from … to …": of the newest point.
std::string window_in_words(const restore::StorePoints& points) {
  const auto& last = points.snapshots.back();
  const auto details = pg::decode_details(last.meta.details);
  if (!details.ok()) return {};
  for (const auto& log : points.logs) {
    if (log.log_id != details->log_id) continue;
    const auto window = pg::window_of(log, *details, last.meta.taken);
    if (window.to) {
      return cat("newest point: any moment from ", format_time_seconds(window.from), " to ",
                 format_time_seconds(*window.to), "\n");
    }
  }
  return "newest point: no commit after it is stored\n";
}

Error no_log(const plan::Store& store) {
  return Error(ErrorKind::not_found, cat("no log of ", store.name, " that a point belongs to"))
      .with_hint(cat("take a backup first: lifeboat backup ", store.name))
      .with_exit(ExitCode::point_unreachable);
}

// Of the newest point's system.
Result<ExitCode> tell_suspicious(const Shell& shell, Session& session, const plan::Store& store,
                                 const restore::StorePoints& points, Micros back) {
  if (points.snapshots.empty()) return no_log(store);
  const auto details = LB_TRY(pg::decode_details(points.snapshots.back().meta.details));
  const auto log = std::find_if(points.logs.begin(), points.logs.end(),
                                [&](const auto& index) { return index.log_id == details.log_id; });
  if (log == points.logs.end()) return no_log(store);
  const auto since = shell.world.clock.now() - back;
  const auto found = LB_TRY(find_suspicious(*session.repository, points, *log, since));
  if (shell.console.options().json) {
    shell.console.event("lifeboat.wal_suspicious/1", to_json(found).set("store", store.name));
  } else {
    shell.console.out(to_text(found, store.name));
  }
  return ExitCode::ok;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  const auto back = LB_TRY(parse_duration(args.get("within", "7d")).context("--within"));
  auto session = LB_TRY(Session::open(shell, args));
  const auto* store = LB_TRY(postgres_store(session->plan.plan, args.get("store")));
  const auto points = LB_TRY(restore::read_points(*session->repository, *store));
  if (args.has("suspicious")) return tell_suspicious(shell, *session, *store, points, back);
  const auto watch = LB_TRY(watch_log(shell, *session, *store, points));
  if (!watch) return no_log(*store);
  const auto verdict = judge_log(*watch, shell.world.clock.now());
  if (shell.console.options().json) {
    shell.console.event("lifeboat.wal/1", to_json(*watch, verdict).set("store", store->name));
  } else {
    shell.console.out(cat(to_text(*watch, verdict), window_in_words(points)));
  }
  return verdict.state == "ok" ? ExitCode::ok : ExitCode::check_not_met;
}

}  // namespace

Verb wal_ls_verb() {
  return {{"wal ls",
           "Shows a store's log: found (stored), delayed (the server still has to hand it over), "
           "uploading, lost (a hole for ever), missing (a hole, and the server could not be "
           "asked). Exit 4 unless all is well. With --suspicious: the transactions that dropped, "
           "emptied or rewrote tables, or deleted or changed a thousand rows and more of one, with "
           "the place before which to restore.",
           {"lifeboat wal ls --store db          # runs of segments, and what is wrong",
            "lifeboat wal ls --store db --json   # for a monitor",
            "lifeboat wal ls --store db --suspicious --within 2h   # what took the rows away?"},
           "wal ls --store NAME [flags]",
           {{"store", 's', "NAME", "the store of the plan", false},
            {"suspicious", 0, "", "show transactions that look like an accident", false},
            {"within", 0, "TIME", "of the last so much time (default: 7d)", false}},
           0},
          run};
}

}  // namespace lb::cli
