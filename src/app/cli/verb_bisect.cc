// bisect: the last moment at which a store or a group passes a check.
#include "app/cli/bisect_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr std::size_t probes_most = 1000;

Result<std::optional<Timestamp>> moment(const Args& args, const std::string& flag) {
  if (!args.has(flag)) return std::optional<Timestamp>();
  auto time = LB_TRY(parse_time(args.get(flag)).context(cat("--", flag)));
  return std::optional(time);
}

Result<std::size_t> budget(const Args& args) {
  auto probes = LB_TRY(parse_uint(args.get("probes", "40")).context("--probes"));
  if (probes >= 1 && probes <= probes_most) return static_cast<std::size_t>(probes);
  return Error(ErrorKind::invalid, cat("--probes ", probes, " is not between 1 and ", probes_most));
}

std::string flag_of(const std::string& words) {
  if (words.starts_with("point ")) return cat("--point ", words.substr(6));
  if (words.starts_with("lsn ")) return cat("--lsn ", words.substr(4));
  return cat("--at ", words);
}

// How to get it back, by the flags of restore: each store to where it stood in the probe.
std::string restore_hint(const record::BisectRecord& record) {
  std::string out;
  for (const auto& store : record.clean->stores) {
    bool by_point = !store.reached || *store.reached <= store.point_taken;
    auto words = record.clean->stores.size() == 1 ? record.clean_words
                 : by_point                       ? cat("point ", store.point)
                                                  : format_time(*store.reached);
    out += cat("  lifeboat restore ", store.store, " --to FOLDER ", flag_of(words), "\n");
  }
  return cat("to bring it back:\n", out);
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 1)
    return Error(ErrorKind::invalid, "bisect takes the name of a store or a group");
  if (!args.has("check")) {
    return Error(ErrorKind::invalid, "bisect needs a check that tells good from bad")
        .with_hint("--check SUITE, --check NAME of a check, or --check entropy");
  }
  auto from = LB_TRY(moment(args, "from"));
  auto to = LB_TRY(moment(args, "to"));
  auto probes = LB_TRY(budget(args));
  auto session = LB_TRY(Session::open(shell, args));
  const auto& plan = session->plan.plan;
  auto subject = LB_TRY(bisect_subject(plan, args.positionals[0]));
  auto request = LB_TRY(bisect_request(shell, *session, plan, subject, args.get("check")));
  request.from = from;
  request.to = to;
  request.probes_max = probes;
  for (const auto& warning : request.warnings) shell.console.warn(warning);
  drill::DrillTools tools{shell.world, *session->repository, *session->journal,
                          *session->references, shell.console};
  auto record = LB_TRY(drill::run_bisect(tools, request, shell.stop));
  LB_TRY(session->journal->mirror(*session->repository));
  auto exit = record.clean ? ExitCode::ok : ExitCode::check_not_met;
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", Json::object()
                                                  .set("verb", "bisect")
                                                  .set("ok", record.clean.has_value())
                                                  .set("exit", static_cast<int>(exit))
                                                  .set("reason", record.reason)
                                                  .set("record", record::encode(record)));
  } else {
    shell.console.out(cat(bisect_table(record), record.clean ? restore_hint(record) : ""));
  }
  return exit;
}

}  // namespace

Verb bisect_verb() {
  return {{"bisect",
           "Finds the last clean moment: restores points, from the newest back, into an isolated "
           "sandbox, runs a check there, and halves what lies between; of PostgreSQL with a log "
           "down to the transaction. Exit 4 when nothing clean was found.",
           {"lifeboat bisect db --check integrity            # a suite of the plan",
            "lifeboat bisect app --check entropy             # a group; what looks encrypted",
            "lifeboat bisect db --check \"no orphans\" --from 2026-01-10T00:00:00Z --probes 12"},
           "bisect STORE|GROUP --check C [--from T] [--to T] [--probes N]",
           {{"check", 0, "NAME", "a suite, a check by its name, or entropy", false},
            {"from", 0, "TIME", "nothing older is tried", false},
            {"to", 0, "TIME", "nothing newer is tried", false},
            {"probes", 0, "NUMBER", "restores at most (default 40)", false}},
           1},
          run};
}

}  // namespace lb::cli
