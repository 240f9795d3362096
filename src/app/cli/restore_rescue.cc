// One table or database into a server that runs: the point is restored into a throwaway folder and
// recovered in a sandbox, and what is wanted is streamed out of it under a new name.
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/restored_copy.h"
#include "app/cli/swap_checks.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr std::size_t definition_bytes_max = 64 << 20;

Result<std::unique_ptr<pg::Connection>> open_target(const Secret& into) {
  pg::ConnectOptions options;
  options.application_name = "lifeboat restore";
  auto opened = pg::Connection::open(into, options);
  if (opened.ok()) return opened;
  return std::move(opened).take_error().context("--into").with_exit(ExitCode::target_unreachable);
}

struct Rescued {
  std::uint64_t rows = 0;
  std::vector<std::string> left_out;
  pg::RecoveryReached reached;
  Json expected_rows = Json::object();
};

Result<Rescued> rescue_table(const Shell& shell, const RestoredCopy& copy,
                             const pg::TableWish& wish, pg::Connection& target) {
  auto source = LB_TRY(copy.open());
  auto programs = LB_TRY(pg::find_client_programs(shell.world.files, source->server_version(),
                                                  target.server_version()));
  auto prepared = LB_TRY(pg::prepare_table(*source, target, wish));
  auto dump = [&](const std::vector<std::string>& arguments) -> Result<std::string> {
    Command command;
    command.argv = {path_join(programs, "pg_dump"), cat("--dbname=", copy.conninfo())};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
    command.output_max = definition_bytes_max;
    auto ran = LB_TRY(copy.place().sandbox->run(command, Seconds(600), shell.stop));
    if (ran.ok()) return ran.output;
    return Error(ErrorKind::internal, cat("pg_dump: ", printable(trim(ran.errors))));
  };
  Progress progress;
  progress.current = wish.as.shown();
  auto show = shell.console.progress(cat("write ", wish.as.shown()));
  auto moved = LB_TRY(
      pg::move_table(*source, target, wish, prepared, dump, shell.stop, [&](std::uint64_t bytes) {
        progress.done_bytes = bytes;
        if (show) show(progress);
      }));
  return Rescued{moved.rows, std::move(prepared.left_out), copy.reached(), {}};
}

Result<Rescued> rescue_database(const Shell& shell, const Session& session, const Request& request,
                                const restore::Choice& choice, const RestoredCopy& copy,
                                const Secret& into) {
  const auto& rescue = *request.rescue;
  auto rows = Json::object();
  if (rescue.judged) {
    rows =
        json_of_rows(rows_expected(shell, session, choice, copy.server(),
                                   {request.store->name, copy.conninfo(), copy.run_marker(), {}}));
  }
  auto moved = LB_TRY(move_database(shell, copy, into, {rescue.database, rescue.as}));
  return Rescued{moved.rows, std::move(moved.left_out), copy.reached(), std::move(rows)};
}

Json summary_of(const Request& request, const restore::Choice& choice, const Rescued& rescued,
                Micros took) {
  const auto& rescue = *request.rescue;
  Json left_out = Json::array();
  for (const auto& each : rescued.left_out) left_out.push(each);
  auto out = Json::object()
                 .set("verb", "restore")
                 .set("ok", true)
                 .set("exit", 0)
                 .set("store", request.store->name)
                 .set("point", choice.snapshot.id)
                 .set("taken", format_time(choice.snapshot.meta.taken))
                 .set(rescue.table ? "table" : "database", rescue.what())
                 .set("as", rescue.shown_as())
                 .set("rows", rescued.rows)
                 .set("left_out", std::move(left_out))
                 .set("lsn", pg::format_lsn(rescued.reached.lsn))
                 .set("took_us", std::int64_t{took.count()});
  if (rescued.reached.last_commit)
    out.set("last_commit", format_time(*rescued.reached.last_commit));
  if (rescue.judged) out.set("expected_rows", rescued.expected_rows);
  return out;
}

void tell(Console& console, const Request& request, const Rescued& rescued, Micros took) {
  const auto& rescue = *request.rescue;
  auto as_of = rescued.reached.last_commit
                   ? cat("the commit of ", format_time(*rescued.reached.last_commit))
                   : cat("LSN ", pg::format_lsn(rescued.reached.lsn));
  console.out(cat("restored ", rescue.what(), " as of ", as_of, " to ", rescue.shown_as(), ": ",
                  human_count(rescued.rows), " rows in ", human_duration(took)));
  for (const auto& each : rescued.left_out) console.out(cat("left out  ", each));
}

// The server that takes what is rescued.
struct Target {
  Secret into;
  std::unique_ptr<pg::Connection> connection;
};

// Everything that can be refused before the point is restored, which takes its time.
Result<Target> ready_target(const Shell& shell, const Session& session, const Request& request,
                            const restore::Choice& choice) {
  const auto& rescue = *request.rescue;
  if (session.plan.plan.target(rescue.into_words) != nullptr) {
    return Error(ErrorKind::unsupported, cat("not supported yet: --into the plan's target '",
                                             rescue.into_words, "'; give a reference"));
  }
  Target target;
  target.into = LB_TRY(session.references->secret(rescue.into));
  target.connection = LB_TRY(open_target(target.into));
  LB_TRY(rescue.table
             ? pg::check_table_target(*target.connection, *rescue.table)
             : pg::check_database_target(*target.connection, {rescue.database, rescue.as}));
  if (!rescue.table) LB_TRY(check_majors(shell, choice, *target.connection));
  if (request.guarded.empty() || request.dry_run) return target;
  LB_TRY(confirm(shell, session, request,
                 cat("point    ", choice.snapshot.id, "\ngets     a new ",
                     rescue.table ? "table " : "database ", rescue.shown_as(),
                     "; nothing that is there is written over")));
  return target;
}

}  // namespace

Result<Json> restore_rescue(const Shell& shell, Session& session, const Request& request,
                            const restore::Choice& choice) {
  const auto& rescue = *request.rescue;
  auto target = LB_TRY(ready_target(shell, session, request, choice));
  LB_TRY(check_preflight(shell, session, session.sandbox_root, choice));
  if (request.dry_run) {
    shell.console.out(cat("would restore point ", choice.snapshot.id, " (",
                          human_size(choice.details->data_bytes), ") into a throwaway folder in ",
                          session.sandbox_root, " and write its ", rescue.what(), " to ",
                          rescue.shown_as()));
    return dry_run_summary();
  }
  auto started = shell.world.clock.steady();
  auto database = rescue.database.empty() ? choice.details->database : rescue.database;
  auto rescued = [&]() -> Result<Rescued> {
    auto copy = LB_TRY(RestoredCopy::make(shell, session, choice, database));
    auto out = rescue.table ? rescue_table(shell, *copy, *rescue.table, *target.connection)
                            : rescue_database(shell, session, request, choice, *copy, target.into);
    shell.console.end_progress();
    LB_TRY(copy->close());
    return out;
  }();
  if (!rescued.ok()) {
    return std::move(rescued).take_error().with_left("the target, unchanged");
  }
  auto took = shell.world.clock.steady() - started;
  if (!shell.console.options().json) tell(shell.console, request, *rescued, took);
  return summary_of(request, choice, *rescued, took);
}

namespace {

// What is not there yet, and may be made.
Result<std::vector<pg::TableWish>> left_to_move(pg::Connection& target,
                                                const std::vector<pg::TableWish>& tables) {
  std::vector<pg::TableWish> out;
  for (const auto& wish : tables) {
    auto there = LB_TRY(pg::moved_before(target, wish));
    if (there) continue;
    LB_TRY(pg::check_table_target(target, wish));
    out.push_back(wish);
  }
  return out;
}

// What was moved before a failure stays: each is whole.
Status move_tables(const Shell& shell, const RestoredCopy& copy, pg::Connection& target,
                   const std::vector<pg::TableWish>& tables, Json& made) {
  std::vector<std::string> moved;
  for (const auto& wish : tables) {
    auto rescued = rescue_table(shell, copy, wish, target);
    shell.console.end_progress();
    if (!rescued.ok()) {
      auto left = moved.empty() ? std::string("the target, unchanged")
                                : cat(join(moved, ", "), " in the target, whole");
      return std::move(rescued).take_error().context(wish.table.shown()).with_left(left);
    }
    moved.push_back(wish.as.shown());
    auto left_out = Json::array();
    for (const auto& each : rescued->left_out) left_out.push(each);
    made.push(Json::object()
                  .set("table", wish.table.shown())
                  .set("as", wish.as.shown())
                  .set("rows", rescued->rows)
                  .set("left_out", std::move(left_out)));
    shell.console.note(cat("restored ", wish.table.shown(), " to ", wish.as.shown(), ": ",
                           human_count(rescued->rows), " rows"));
  }
  return {};
}

}  // namespace

Result<Json> restore_tables(const Shell& shell, Session& session, const Request& request,
                            const restore::Choice& choice,
                            const std::vector<pg::TableWish>& tables) {
  auto into = LB_TRY(session.references->secret(request.rescue->into));
  auto target = LB_TRY(open_target(into));
  auto wanted = LB_TRY(left_to_move(*target, tables));
  auto made = Json::array();
  if (!wanted.empty()) {
    LB_TRY(check_preflight(shell, session, session.sandbox_root, choice));
    auto copy = LB_TRY(RestoredCopy::make(shell, session, choice, choice.details->database));
    auto moved = move_tables(shell, *copy, *target, wanted, made);
    LB_TRY(copy->close());
    LB_TRY(std::move(moved));
  }
  return Json::object()
      .set("store", request.store->name)
      .set("point", choice.snapshot.id)
      .set("tables", std::move(made));
}

}  // namespace lb::cli
