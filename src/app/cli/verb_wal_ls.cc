// wal ls: what of a log is stored, what is on its way, what is gone.
#include "app/cli/agent_desk.h"
#include "app/cli/log_watch.h"
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

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  const auto* store = LB_TRY(postgres_store(session->plan.plan, args.get("store")));
  const auto points = LB_TRY(restore::read_points(*session->repository, *store));
  const auto watch = LB_TRY(watch_log(shell, *session, *store, points));
  if (!watch) {
    return Error(ErrorKind::not_found, cat("no log of ", store->name, " that a point belongs to"))
        .with_hint(cat("take a backup first: lifeboat backup ", store->name))
        .with_exit(ExitCode::point_unreachable);
  }
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
           "asked). Exit 4 unless all is well.",
           {"lifeboat wal ls --store db          # runs of segments, and what is wrong",
            "lifeboat wal ls --store db --json   # for a monitor"},
           "wal ls --store NAME [flags]",
           {{"store", 's', "NAME", "the store of the plan", false}},
           0},
          run};
}

}  // namespace lb::cli
