#include "app/cli/restored_copy.h"

#include "foundation/base/text.h"
#include "recovery/restore/sandbox_folder.h"

namespace lb::cli {

Result<std::unique_ptr<RestoredCopy>> RestoredCopy::make(const Shell& shell, Session& session,
                                                         const restore::Choice& choice,
                                                         const std::string& database) {
  std::unique_ptr<RestoredCopy> copy(new RestoredCopy(shell));
  copy->database_ = database;
  copy->marker_ = session.repository->fresh_id();
  LB_TRY(pg::find_binaries(shell.world.files, choice.details->server_version));
  copy->place_ = LB_TRY(make_replay_place(shell, session));
  auto restored = copy->restore(session, choice);
  shell.console.end_progress();
  if (restored.ok()) return copy;
  auto error = std::move(restored).take_error();
  LB_TRY(copy->close());
  return error;
}

Status RestoredCopy::restore(Session& session, const restore::Choice& choice) {
  auto data = path_join(place_.folder, "data");
  LB_TRY(restore::make_private_folder(shell_.world, data, place_.user));
  LB_TRY(open_sandbox(shell_, place_, data));
  restore::PostgresWishes wishes;
  wishes.place = {data, place_.run};
  wishes.owner = place_.user;
  wishes.throwaway = true;
  wishes.run_marker = marker_;
  wishes.progress = shell_.console.progress(cat("restore ", choice.store));
  restored_ = LB_TRY(restore::restore_postgres(shell_.world, *session.repository, choice, wishes,
                                               *place_.sandbox, shell_.stop));
  return {};
}

Status RestoredCopy::close() {
  if (restored_) restored_->server.reset();
  return place_.sandbox ? close_replay_place(shell_, place_) : Status();
}

std::string RestoredCopy::conninfo() const {
  return cat(restored_->server->conninfo(), " dbname=", pg::quote_conninfo(database_));
}

Result<std::unique_ptr<pg::Connection>> RestoredCopy::open() const {
  pg::ConnectOptions options;
  options.require_run_marker = marker_;
  auto opened = pg::Connection::open(Secret(conninfo()), options);
  if (opened.ok()) return opened;
  auto what = cat("database ", printable(database_), " of the copy");
  return std::move(opened).take_error().context(what).with_exit(ExitCode::failed);
}

Status check_majors(const Shell& shell, const restore::Choice& choice,
                    const pg::Connection& target) {
  const auto source_version = choice.details->server_version;
  const auto source = source_version / 10000, into = target.server_version() / 10000;
  if (into < source) {
    return Error(ErrorKind::denied, cat("the target runs PostgreSQL ", into, ", the point is of ",
                                        source, ": a database is not carried to an older one"))
        .with_hint(cat("give a server of PostgreSQL ", source, " or newer"))
        .with_exit(ExitCode::refused);
  }
  LB_TRY(pg::find_binaries(shell.world.files, source_version));
  return pg::find_client_programs(shell.world.files, source_version, target.server_version())
      .status();
}

Result<pg::MovedDatabase> move_database(const Shell& shell, const RestoredCopy& copy,
                                        const Secret& into, const pg::DatabaseWish& wish) {
  // The database is there, and the server is the one that was restored.
  auto source = LB_TRY(copy.open());
  auto target = LB_TRY(pg::Connection::open(into));
  auto programs = LB_TRY(pg::find_client_programs(shell.world.files, source->server_version(),
                                                  target->server_version()));
  auto start = [&](const Command& command) { return copy.place().sandbox->start(command); };
  pg::DatabaseMove move{copy.conninfo(),   into,     copy.place().run,
                        copy.place().user, programs, start};
  return pg::move_database(shell.world, move, wish, shell.stop);
}

}  // namespace lb::cli
