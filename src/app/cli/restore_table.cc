// One table into a server that runs: the point is restored into a throwaway folder and recovered in
// a sandbox, the table is streamed out of it under a new name.
#include "app/cli/replay_place.h"
#include "app/cli/restore_request.h"
#include "foundation/base/text.h"
#include "recovery/restore/postgres_restore.h"
#include "recovery/restore/sandbox_folder.h"

namespace lb::cli {

namespace {

constexpr std::size_t definition_bytes_max = 64 << 20;

// The plan's protected target that is the same place; empty when there is none.
std::string protected_target(const Session& session, const Rescue& rescue, const Secret& into) {
  for (const auto& target : session.plan.plan.targets) {
    if (!target.protect) continue;
    if (target.name == rescue.into_words) return target.name;
    for (const auto& [store, address] : target.addresses) {
      auto secret = session.references->secret(address);
      bool same = address.text() == rescue.into.text() ||
                  (secret.ok() && secret->reveal() == into.reveal());
      if (same) return target.name;
    }
  }
  return {};
}

Result<std::unique_ptr<pg::Connection>> open_target(const Secret& into) {
  pg::ConnectOptions options;
  options.application_name = "lifeboat restore";
  auto opened = pg::Connection::open(into, options);
  if (opened.ok()) return opened;
  return std::move(opened).take_error().context("--into").with_exit(ExitCode::target_unreachable);
}

Result<restore::PostgresRestored> restore_copy(const Shell& shell, Session& session,
                                               const Request& request,
                                               const restore::Choice& choice, ReplayPlace& place,
                                               const std::string& marker) {
  auto data = path_join(place.folder, "data");
  LB_TRY(restore::make_private_folder(shell.world, data, place.user));
  LB_TRY(open_sandbox(shell, place, data));
  restore::PostgresWishes wishes;
  wishes.place = {data, place.run};
  wishes.owner = place.user;
  wishes.throwaway = true;
  wishes.run_marker = marker;
  wishes.progress = shell.console.progress(cat("restore ", request.store->name));
  auto restored = LB_TRY(restore::restore_postgres(shell.world, *session.repository, choice, wishes,
                                                   *place.sandbox, shell.stop));
  shell.console.end_progress();
  return restored;
}

struct Rescued {
  pg::PreparedTable prepared;
  pg::MovedTable moved;
  pg::RecoveryReached reached;
};

Result<Rescued> rescue_table(const Shell& shell, const Request& request,
                             const restore::Choice& choice, ReplayPlace& place,
                             pg::RecoveryServer& server, const std::string& marker,
                             pg::Connection& target) {
  const auto& rescue = *request.rescue;
  auto database = rescue.database.empty() ? choice.details->database : rescue.database;
  pg::ConnectOptions options;
  options.database = database;
  options.require_run_marker = marker;
  auto opened = pg::Connection::open(Secret(server.conninfo()), options);
  if (!opened.ok()) {
    auto what = cat("database ", printable(database), " of the copy");
    return std::move(opened).take_error().context(what).with_exit(ExitCode::failed);
  }
  auto copy = std::move(opened).take();
  Rescued out;
  out.reached = server.reached();
  out.prepared = LB_TRY(pg::prepare_table(*copy, target, rescue.wish));
  auto binaries = LB_TRY(pg::find_binaries(shell.world.files, choice.details->server_version));
  auto dump = [&](const std::vector<std::string>& arguments) -> Result<std::string> {
    Command command;
    command.argv = {path_join(binaries, "pg_dump"),
                    cat("--dbname=", server.conninfo(), " dbname=", pg::quote_conninfo(database))};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
    command.output_max = definition_bytes_max;
    auto ran = LB_TRY(place.sandbox->run(command, Seconds(600), shell.stop));
    if (ran.ok()) return ran.output;
    return Error(ErrorKind::internal, cat("pg_dump: ", printable(trim(ran.errors))));
  };
  Progress progress;
  progress.current = rescue.wish.as.shown();
  auto show = shell.console.progress(cat("write ", rescue.wish.as.shown()));
  out.moved = LB_TRY(pg::move_table(*copy, target, rescue.wish, out.prepared, dump, shell.stop,
                                    [&](std::uint64_t bytes) {
                                      progress.done_bytes = bytes;
                                      show(progress);
                                    }));
  shell.console.end_progress();
  return out;
}

Json summary_of(const Request& request, const restore::Choice& choice, const Rescued& rescued,
                Micros took) {
  const auto& wish = request.rescue->wish;
  Json left_out = Json::array();
  for (const auto& each : rescued.prepared.left_out) left_out.push(each);
  auto out = Json::object()
                 .set("verb", "restore")
                 .set("ok", true)
                 .set("exit", 0)
                 .set("store", request.store->name)
                 .set("point", choice.snapshot.id)
                 .set("taken", format_time(choice.snapshot.meta.taken))
                 .set("table", wish.table.shown())
                 .set("as", wish.as.shown())
                 .set("rows", rescued.moved.rows)
                 .set("bytes", rescued.moved.bytes)
                 .set("left_out", std::move(left_out))
                 .set("lsn", pg::format_lsn(rescued.reached.lsn))
                 .set("took_us", std::int64_t{took.count()});
  if (rescued.reached.last_commit)
    out.set("last_commit", format_time(*rescued.reached.last_commit));
  return out;
}

void tell(Console& console, const Request& request, const Rescued& rescued, Micros took) {
  const auto& wish = request.rescue->wish;
  auto as_of = rescued.reached.last_commit
                   ? cat("the commit of ", format_time(*rescued.reached.last_commit))
                   : cat("LSN ", pg::format_lsn(rescued.reached.lsn));
  console.out(cat("restored ", wish.table.shown(), " as of ", as_of, " to ", wish.as.shown(), ": ",
                  human_count(rescued.moved.rows), " rows, ", human_size(rescued.moved.bytes),
                  " in ", human_duration(took)));
  for (const auto& each : rescued.prepared.left_out) console.out(cat("left out  ", each));
}

// Everything that can be refused before the point is restored, which takes its time.
Result<std::unique_ptr<pg::Connection>> ready_target(const Shell& shell, const Session& session,
                                                     const Request& request) {
  const auto& rescue = *request.rescue;
  if (session.plan.plan.target(rescue.into_words) != nullptr) {
    return Error(ErrorKind::unsupported, cat("not supported yet: --into the plan's target '",
                                             rescue.into_words, "'; give a reference"));
  }
  auto into = LB_TRY(session.references->secret(rescue.into));
  auto target = LB_TRY(open_target(into));
  LB_TRY(pg::check_table_target(*target, rescue.wish));
  auto guarded = protected_target(session, rescue, into);
  if (guarded.empty() || request.dry_run) return target;
  LB_TRY(confirm(shell, session, request,
                 cat("is      the plan's protected target ", guarded, "; it gets a new table ",
                     rescue.wish.as.shown())));
  return target;
}

}  // namespace

Result<Json> restore_table(const Shell& shell, Session& session, const Request& request,
                           const restore::Choice& choice) {
  const auto& wish = request.rescue->wish;
  auto target = LB_TRY(ready_target(shell, session, request));
  LB_TRY(check_preflight(shell, session, session.sandbox_root, choice));
  if (request.dry_run) {
    shell.console.out(cat("would restore point ", choice.snapshot.id, " (",
                          human_size(choice.details->data_bytes), ") into a throwaway folder in ",
                          session.sandbox_root, " and write its ", wish.table.shown(), " to ",
                          wish.as.shown()));
    return dry_run_summary();
  }
  auto started = shell.world.clock.steady();
  auto place = LB_TRY(make_replay_place(shell, session));
  auto marker = session.repository->fresh_id();
  auto restored = restore_copy(shell, session, request, choice, place, marker);
  auto rescued = [&]() -> Result<Rescued> {
    if (!restored.ok()) return std::move(restored).take_error();
    return rescue_table(shell, request, choice, place, *restored->server, marker, *target);
  }();
  shell.console.end_progress();
  if (restored.ok()) restored->server.reset();
  if (place.sandbox) LB_TRY(close_replay_place(shell, place));
  if (!rescued.ok()) {
    return std::move(rescued).take_error().with_left("the target, unchanged");
  }
  auto took = shell.world.clock.steady() - started;
  if (!shell.console.options().json) tell(shell.console, request, *rescued, took);
  return summary_of(request, choice, *rescued, took);
}

}  // namespace lb::cli
