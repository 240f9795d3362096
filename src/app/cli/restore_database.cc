// A database whole, into a folder that is new, that an interrupted restore left, or (--delta) that
// holds a data directory.
#include "app/cli/replay_place.h"
#include "app/cli/restore_request.h"
#include "app/cli/tablespace_places.h"
#include "foundation/base/text.h"
#include "recovery/restore/postgres_restore.h"
#include "recovery/restore/sandbox_folder.h"
#include "recovery/restore/unfinished.h"
#include "stores/postgres/target_folder.h"

namespace lb::cli {

namespace {

// What the restore finds in its target.
struct Target {
  restore::TargetState state = restore::TargetState::free;
  std::uint64_t present = 0;  // bytes on disk
  bool foreign = false;       // a data directory that is not known to be this database's

  bool over_present() const { return state != restore::TargetState::free; }
};

std::string commit_text(const pg::RecoveryReached& reached) {
  return cat(reached.last_commit ? cat("last commit ", format_time(*reached.last_commit))
                                 : "no commit in the log replayed",
             ", LSN ", pg::format_lsn(reached.lsn), ", timeline ", reached.timeline);
}

Error other_wish(const std::string& folder, const std::string& wish, const std::string& asked) {
  return Error(ErrorKind::denied,
               cat("an interrupted restore in ", printable(folder),
                   " was to bring something else: '", wish, "', not '", asked, "'"))
      .with_hint("ask for the same again to go on with it, or add --delta to turn it to this point")
      .with_exit(ExitCode::refused);
}

// Store and point, without the repository's id.
std::string shown(const std::string& words) { return words.substr(words.find(' ') + 1); }

Status check_unfinished(const Shell& shell, const Request& request) {
  auto& files = shell.world.files;
  LB_TRY(pg::check_no_server(files, request.folder));
  auto wish = LB_TRY(restore::unfinished_wish(files, request.folder));
  auto words = printable(request.words);
  if (request.delta || wish.empty() || wish == words) return {};
  return other_wish(request.folder, shown(wish), shown(words));
}

// Who is not root can only write as himself.
Status check_owner(const Shell& shell, const std::string& folder) {
  auto there = LB_TRY(path_exists(shell.world.files, folder));
  if (!there || shell.uid == 0) return {};
  auto info = LB_TRY(shell.world.files.info(folder));
  if (info.uid == shell.uid) return {};
  return pg::refused_folder(folder, cat("belongs to another user (id ", info.uid, ")"),
                            "give a folder of your own, or run as root");
}

Result<Target> check_target(const Shell& shell, const Request& request,
                            const restore::Choice& choice) {
  auto& files = shell.world.files;
  const auto& folder = request.folder;
  LB_TRY(check_owner(shell, folder));
  Target target;
  target.state = LB_TRY(restore::look_at_target(files, folder));
  if (target.state == restore::TargetState::free) return target;
  if (target.state == restore::TargetState::unfinished) {
    LB_TRY(check_unfinished(shell, request));
  } else if (request.delta) {
    auto data = LB_TRY(pg::look_at_present_data(files, folder));
    LB_TRY(pg::check_same_major(files, folder, choice.details->server_version));
    target.foreign = data.system_identifier != choice.details->system_identifier;
  } else {
    auto entries = LB_TRY(files.list(folder));
    return Error(ErrorKind::denied, cat(printable(folder), " is not empty (", entries.size(),
                                        " entries): nothing was written"))
        .with_hint(
            "give a new or empty folder; --delta turns a stopped data directory into the "
            "point")
        .with_exit(ExitCode::refused);
  }
  target.present = LB_TRY(pg::allocated_bytes(files, folder));
  return target;
}

Status make_target(const Shell& shell, const Request& request, const Target& target, UserId user) {
  auto& files = shell.world.files;
  const auto& folder = request.folder;
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) {
    LB_TRY(make_directories(files, path_parent(folder), 0755));
    LB_TRY(files.make_directory(folder, 0700));
  }
  // The server that replays the log, and whoever starts it later, owns its data directory.
  LB_TRY(restore::make_private_folder(shell.world, folder, user));
  if (target.state == restore::TargetState::unfinished)
    return restore::take_over_unfinished(files, folder, request.words);
  return restore::mark_unfinished(files, folder, request.words);
}

void tell_dry_run(const Shell& shell, const Request& request, const restore::Choice& choice,
                  const Target& target) {
  const auto& wanted = *choice.target;
  auto goal = wanted.last_commit ? format_time(wanted.last_commit->time)
                                 : std::string("the snapshot's end");
  auto how = target.state == restore::TargetState::unfinished ? "go on with restoring"
             : target.over_present()                          ? "mend what differs from"
                                                              : "restore";
  shell.console.out(cat("would ", how, " point ", choice.snapshot.id, " (",
                        human_size(choice.details->data_bytes), ") ",
                        target.over_present() ? "in " : "to ", request.folder, " and replay ",
                        wanted.needed.size(), " log segments to commit ", goal));
}

// Somebody's database is about to go, or the live one goes back in time.
Status confirm_replacing(const Shell& shell, const Session& session, const Request& request,
                         const restore::Choice& choice, const Target& target) {
  bool live = request.original || !request.guarded.empty();
  bool asks = target.foreign || (live && request.delta && target.over_present());
  if (!asks) return {};
  return confirm(shell, session, request,
                 target.foreign
                     ? std::string("holds    the data directory of another database, or of one "
                                   "that cannot be told;\n         all of it goes")
                     : cat("point    ", choice.snapshot.id, "\n", loss_line(shell, request, choice),
                           "\nkeeps    nothing of it"));
}

Json summary_of(const Request& request, const restore::Choice& choice, const Target& target,
                const restore::PostgresRestored& restored, Micros took) {
  const auto& reached = restored.server->reached();
  auto out = restore_summary(request, choice, restored.layout, took);
  auto how = target.state == restore::TargetState::unfinished ? "resumed"
             : target.over_present()                          ? "delta"
                                                              : "full";
  out.set("how", how).set("kept_bytes", restored.layout.kept_bytes);
  out.set("lsn", pg::format_lsn(reached.lsn)).set("timeline", std::int64_t{reached.timeline});
  if (reached.last_commit) out.set("last_commit", format_time(*reached.last_commit));
  return out;
}

Status tell(const Shell& shell, const Request& request, const restore::Choice& choice,
            const Target& target, const restore::PostgresRestored& restored, Micros took) {
  const auto& layout = restored.layout;
  auto binaries = LB_TRY(pg::find_binaries(shell.world.files, choice.details->server_version));
  auto kept = target.over_present() ? cat(", ", human_size(layout.kept_bytes), " of it was right")
                                    : std::string();
  shell.console.out(cat("restored ", request.store->name, " to ", request.folder, ": ",
                        commit_text(restored.server->reached()), "; ", human_size(layout.bytes),
                        kept, ", in ", human_duration(took), "\nstart it with: ", binaries,
                        "/pg_ctl -D ", request.folder,
                        " start\narchiving is off in this copy; see postgresql.auto.conf there"));
  return {};
}

}  // namespace

Result<Json> restore_database(const Shell& shell, Session& session, const Request& asked,
                              const restore::Choice& choice) {
  auto& console = shell.console;
  auto tablespaces = LB_TRY(tablespace_places(shell, session, asked, *choice.details));
  // An interrupted restore goes on into the same places only.
  Request request = asked;
  request.words += words_of(tablespaces, *choice.details);
  auto target = LB_TRY(check_target(shell, request, choice));
  auto snapshot = LB_TRY(session.repository->snapshot(choice.snapshot.id));
  auto elsewhere = LB_TRY(check_tablespace_room(shell, *snapshot, request.folder, tablespaces));
  LB_TRY(check_preflight(shell, session, request.folder, choice, target.present + elsewhere));
  if (request.dry_run) {
    tell_dry_run(shell, request, choice, target);
    for (const auto& [oid, path] : tablespaces)
      shell.console.out(cat("tablespace ", oid, " would go to ", printable(path)));
    return dry_run_summary();
  }
  LB_TRY(confirm_replacing(shell, session, request, choice, target));
  if (target.state == restore::TargetState::unfinished)
    console.note(cat("going on with an interrupted restore in ", printable(request.folder)));
  auto place = LB_TRY(make_replay_place(shell, session));
  LB_TRY(make_target(shell, request, target, place.user));
  LB_TRY(make_tablespace_places(shell, tablespaces, place.user));
  std::vector<std::string> more;
  for (const auto& [oid, path] : tablespaces) more.push_back(path);
  LB_TRY(open_sandbox(shell, place, request.folder, more));
  restore::PostgresWishes wishes;
  wishes.tablespaces = tablespaces;
  wishes.place = {request.folder, place.run};
  wishes.owner = place.user;
  wishes.throwaway = false;
  wishes.over_present = target.over_present();
  wishes.run_marker = session.repository->fresh_id();
  wishes.progress = console.progress(cat("restore ", request.store->name));
  auto started = shell.world.clock.steady();
  auto restored = restore::restore_postgres(shell.world, *session.repository, choice, wishes,
                                            *place.sandbox, shell.stop);
  Status stopped = restored.ok() ? restored->server->shut_down() : Status();
  auto took = shell.world.clock.steady() - started;
  console.end_progress();
  LB_TRY(close_replay_place(shell, place));
  if (!restored.ok()) {
    return std::move(restored).take_error().with_left(cat("an unusable data directory in ",
                                                          printable(request.folder),
                                                          ", with which the same command goes on"));
  }
  LB_TRY(std::move(stopped));
  LB_TRY(restore::remove_mark(shell.world.files, request.folder));
  if (!console.options().json) LB_TRY(tell(shell, request, choice, target, *restored, took));
  return summary_of(request, choice, target, *restored, took);
}

}  // namespace lb::cli
