#include <algorithm>

#include "app/cli/copies.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/restore/postgres_restore.h"
#include "recovery/restore/sandbox_folder.h"
#include "recovery/restore/unfinished.h"
#include "stores/files/store.h"

namespace lb::cli {

namespace {

struct Request {
  const plan::Store* store = nullptr;
  restore::Wish wish;
  std::string folder;
  bool original = false;  // onto the place the store is backed up from
  std::vector<std::string> only;
  bool exact = false, dry_run = false;
  std::string confirmed;  // --confirm NAME
};

Result<restore::Wish> read_wish(const Args& args) {
  std::vector<std::string> given;
  for (const char* flag : {"at", "before", "lsn", "point", "name"}) {
    if (args.has(flag)) given.push_back(cat("--", flag));
  }
  if (given.size() > 1) {
    return Error(ErrorKind::invalid, cat(join(given, " and "), " contradict each other: give one"));
  }
  if (args.has("at")) return restore::parse_wish(args.get("at"));
  restore::Wish wish;
  auto& wanted = wish.wanted;
  if (args.has("lsn")) {
    wanted.kind = pg::Wanted::Kind::lsn;
    wanted.lsn = LB_TRY(pg::parse_lsn(args.get("lsn")));
  } else if (args.has("name")) {
    wanted.kind = pg::Wanted::Kind::name;
    wanted.name = args.get("name");
  } else if (args.has("point")) {
    wanted.kind = pg::Wanted::Kind::snapshot;
    wish.snapshot = args.get("point");
  } else if (args.has("before")) {
    wanted.kind = pg::Wanted::Kind::before_commit;
    auto text = args.get("before");
    if (text.find('/') != std::string::npos) {
      wanted.lsn = LB_TRY(pg::parse_lsn(text));
    } else {
      auto xid = LB_TRY(parse_uint(text).context("--before takes an LSN or a transaction id"));
      wanted.xid = static_cast<std::uint32_t>(xid);
    }
  }
  return wish;
}

// Where the store lives in production; empty when that is not a folder or cannot be known.
std::string original_folder(const plan::Store& store, const References& references) {
  if (store.kind != plan::StoreKind::files) return {};
  auto path = references.path(store.address);
  return path.ok() ? *path : std::string();
}

bool inside(const std::string& path, const std::string& folder) {
  return !folder.empty() &&
         (path == folder || path.starts_with(folder + "/") || folder.starts_with(path + "/"));
}

Result<Request> read_request(const Session& session, const Args& args) {
  Request request;
  if (args.positionals.size() != 1) {
    return Error(ErrorKind::invalid, "restore takes one store")
        .with_hint("lifeboat restore STORE --to FOLDER");
  }
  auto stores = LB_TRY(pick_stores(session.plan.plan, args.positionals));
  request.store = stores.front();
  request.wish = LB_TRY(read_wish(args));
  request.only = args.all("only");
  request.exact = args.has("exact");
  request.dry_run = args.has("dry-run");
  request.confirmed = args.get("confirm");
  auto to = args.get("to");
  if (to.empty()) {
    return Error(ErrorKind::invalid, "restore needs --to FOLDER")
        .with_hint("or --to original for a files store");
  }
  if (session.plan.plan.target(to) != nullptr) {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: restore into the plan's target '", to, "' (",
                     session.plan.plan.target(to)->place.text(), "); give a folder"));
  }
  auto home = original_folder(*request.store, *session.references);
  if (to == "original") {
    if (home.empty())
      return Error(ErrorKind::invalid,
                   cat("store ", request.store->name, " has no folder to restore onto"));
    to = home;
  }
  request.folder = session.references->absolute(to);
  while (request.folder.size() > 1 && request.folder.back() == '/') request.folder.pop_back();
  request.original = inside(request.folder, home);
  if (request.store->kind == plan::StoreKind::postgres &&
      (request.exact || !request.only.empty())) {
    return Error(ErrorKind::unsupported,
                 "not supported yet: --only and --exact for postgres stores");
  }
  return request;
}

// Overwriting live data needs the name typed, on the terminal or with --confirm.
Status guard(const Shell& shell, const Session& session, const Request& request,
             const std::string& what) {
  const auto& system = session.plan.plan.system;
  shell.console.note(cat("host     ", shell.host, "\ntarget   ", request.folder,
                         request.original ? " (the live data of the plan)" : "", "\n", what));
  auto answer = request.confirmed;
  if (answer.empty())
    answer = shell.console.ask(cat("Type the system's name (", system, ") to go on:"));
  if (answer == system) return {};
  return Error(ErrorKind::denied, answer.empty() ? "not confirmed: nothing was changed"
                                                 : "the name does not match: nothing was changed")
      .with_hint(cat("type ", system, ", or give --confirm ", system))
      .with_exit(ExitCode::refused);
}

Json summary(const Request& request, const restore::Choice& choice, const RestoreOutcome& outcome,
             Micros took) {
  Json out = Json::object()
                 .set("verb", "restore")
                 .set("ok", true)
                 .set("exit", outcome.warnings.empty() ? 0 : 3)
                 .set("store", request.store->name)
                 .set("point", choice.snapshot.id)
                 .set("taken", format_time(choice.snapshot.meta.taken))
                 .set("folder", request.folder)
                 .set("bytes", outcome.bytes)
                 .set("items", outcome.items)
                 .set("took_us", std::int64_t{took.count()});
  Json warnings = Json::array();
  for (const auto& warning : outcome.warnings) warnings.push(warning);
  return out.set("warnings", std::move(warnings));
}

Result<Json> restore_files(const Shell& shell, Session& session, const Request& request,
                           const restore::Choice& choice) {
  auto& console = shell.console;
  auto snapshot = LB_TRY(session.repository->snapshot(choice.snapshot.id));
  files::RestoreOptions options;
  options.folder = request.folder;
  options.mode = request.exact ? files::RestoreMode::exact : files::RestoreMode::merge;
  options.only = request.only;
  options.owners = shell.uid == 0;
  options.progress = console.progress(cat("restore ", request.store->name));
  std::vector<std::string> deletions;
  if (request.exact) deletions = LB_TRY(files::plan_deletions(shell.world, *snapshot, options));
  for (const auto& path : deletions) console.note(cat("will delete  ", printable(path)));
  auto need = LB_TRY(files::space_needed(*snapshot));
  auto what =
      cat("point    ", choice.snapshot.id, " of ", format_time(choice.snapshot.meta.taken),
          "\nwrites   up to ", human_size(need.bytes), "; deletes ", deletions.size(), " items");
  if (request.dry_run) {
    console.out(what);
    return Json::object()
        .set("verb", "restore")
        .set("ok", true)
        .set("exit", 0)
        .set("dry_run", true);
  }
  if (request.original || !deletions.empty()) LB_TRY(guard(shell, session, request, what));
  auto started = shell.world.clock.steady();
  auto outcome = LB_TRY(files::restore(shell.world, *snapshot, options, deletions, shell.stop));
  auto took = shell.world.clock.steady() - started;
  console.end_progress();
  for (const auto& warning : outcome.warnings) console.warn(warning);
  if (!console.options().json) {
    console.out(cat("restored ", request.store->name, " as of ",
                    format_time(choice.snapshot.meta.taken), " to ", request.folder, ": ",
                    human_count(outcome.items), " items, ", human_size(outcome.bytes), " in ",
                    human_duration(took)));
  }
  return summary(request, choice, outcome, took);
}

// The server that replays the log runs in a sandbox, so that restored settings can reach nothing.
struct ReplayPlace {
  std::unique_ptr<Sandbox> sandbox;
  std::string folder;
  UserId user;
};

Result<ReplayPlace> make_place(const Shell& shell, const Session& session, const Request& request) {
  ReplayPlace place;
  auto& world = shell.world;
  place.user = LB_TRY(world.sandboxes.unprivileged_user("postgres"));
  auto id = session.repository->fresh_id();
  place.folder =
      LB_TRY(restore::make_sandbox_folder(world, session.sandbox_root, id.substr(id.size() - 8)));
  auto run = path_join(place.folder, "run");
  LB_TRY(restore::make_private_folder(world, run, place.user));
  if (!LB_TRY(path_exists(world.files, request.folder))) {
    LB_TRY(make_directories(world.files, path_parent(request.folder), 0755));
    LB_TRY(world.files.make_directory(request.folder, 0700));
  }
  // The server that replays the log, and whoever starts it later, owns its data directory.
  LB_TRY(restore::make_private_folder(world, request.folder, place.user));
  LB_TRY(restore::mark_unfinished(world.files, request.folder));
  SandboxSpec spec;
  spec.folder = place.folder;
  spec.visible = {run, request.folder};
  spec.user = place.user;
  place.sandbox = LB_TRY(world.sandboxes.create(spec));
  return place;
}

Status check_preflight(const Shell& shell, Session& session, const Request& request,
                       const restore::Choice& choice) {
  auto snapshot = LB_TRY(session.repository->snapshot(choice.snapshot.id));
  auto place = request.folder;
  while (place.size() > 1 && !LB_TRY(path_exists(shell.world.files, place)))
    place = path_parent(place);
  auto outcome = LB_TRY(pg::preflight(shell.world, *snapshot, *choice.target, place));
  if (outcome.bytes_available < outcome.bytes_needed) {
    return Error(ErrorKind::exhausted,
                 cat("the restore needs ", human_size(outcome.bytes_needed), " in ", place,
                     ", there are ", human_size(outcome.bytes_available)));
  }
  for (const auto& finding : outcome.findings) {
    if (finding.ok) continue;
    return Error(ErrorKind::unsupported, finding.text)
        .with_hint(finding.hint)
        .with_exit(ExitCode::target_unreachable);
  }
  return {};
}

std::string commit_text(const pg::RecoveryReached& reached) {
  return cat(reached.last_commit ? cat("last commit ", format_time(*reached.last_commit))
                                 : "no commit in the log replayed",
             ", LSN ", pg::format_lsn(reached.lsn), ", timeline ", reached.timeline);
}

// What a killed restore left is cleared; everything else in the folder is somebody's.
Result<restore::TargetState> check_target(const Shell& shell, const std::string& folder) {
  auto state = LB_TRY(restore::look_at_target(shell.world.files, folder));
  if (state != restore::TargetState::occupied) return state;
  auto entries = LB_TRY(shell.world.files.list(folder));
  return Error(ErrorKind::denied,
               cat(folder, " is not empty (", entries.size(), " entries): nothing was written"))
      .with_hint("give a new or empty folder")
      .with_exit(ExitCode::refused);
}

Result<Json> restore_database(const Shell& shell, Session& session, const Request& request,
                              const restore::Choice& choice) {
  auto& console = shell.console;
  auto target = LB_TRY(check_target(shell, request.folder));
  LB_TRY(check_preflight(shell, session, request, choice));
  auto goal = choice.target->last_commit ? format_time(choice.target->last_commit->time)
                                         : std::string("the snapshot's end");
  if (request.dry_run) {
    console.out(cat("would restore point ", choice.snapshot.id, " (",
                    human_size(choice.details->data_bytes), ") to ", request.folder, " and replay ",
                    choice.target->needed.size(), " log segments to commit ", goal));
    return Json::object()
        .set("verb", "restore")
        .set("ok", true)
        .set("exit", 0)
        .set("dry_run", true);
  }
  if (target == restore::TargetState::unfinished) {
    console.note(cat("clearing what an unfinished restore left in ", request.folder));
    LB_TRY(restore::clear_unfinished(shell.world.files, request.folder));
  }
  auto place = LB_TRY(make_place(shell, session, request));
  restore::PostgresWishes wishes;
  wishes.place = {request.folder, path_join(place.folder, "run")};
  wishes.owner = place.user;
  wishes.throwaway = false;
  wishes.run_marker = session.repository->fresh_id();
  wishes.progress = console.progress(cat("restore ", request.store->name));
  auto started = shell.world.clock.steady();
  auto restored = restore::restore_postgres(shell.world, *session.repository, choice, wishes,
                                            *place.sandbox, shell.stop);
  Status stopped = restored.ok() ? restored->server->shut_down() : Status();
  auto took = shell.world.clock.steady() - started;
  console.end_progress();
  LB_TRY(place.sandbox->stop());
  LB_TRY(remove_sandbox_folder(shell.world.files, place.folder));
  if (!restored.ok()) {
    return std::move(restored).take_error().with_left(
        cat("an unusable data directory in ", request.folder,
            ", which the next restore into it clears"));
  }
  LB_TRY(std::move(stopped));
  LB_TRY(restore::remove_mark(shell.world.files, request.folder));
  auto reached = restored->server->reached();
  if (!console.options().json) {
    console.out(cat(
        "restored ", request.store->name, " to ", request.folder, ": ", commit_text(reached), "; ",
        human_size(restored->layout.bytes), " in ", human_duration(took), "\nstart it with: ",
        LB_TRY(pg::find_binaries(shell.world.files, choice.details->server_version)), "/pg_ctl -D ",
        request.folder, " start\narchiving is off in this copy; see postgresql.auto.conf there"));
  }
  auto out = summary(request, choice, restored->layout, took);
  out.set("lsn", pg::format_lsn(reached.lsn)).set("timeline", std::int64_t{reached.timeline});
  if (reached.last_commit) out.set("last_commit", format_time(*reached.last_commit));
  return out;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args, Reading::healing));
  auto request = LB_TRY(read_request(*session, args));
  auto points = LB_TRY(restore::read_points(*session->repository, *request.store));
  auto choice =
      LB_TRY(restore::choose(points, request.wish, shell.world.clock.now(), *session->repository));
  auto act = LB_TRY(state::Act::begin(
      shell.world, *session->journal, cat("restore ", request.store->name), request.store->name,
      cat("Restoring ", request.store->name, " to ", request.folder),
      Json::object().set("point", choice.snapshot.id)));
  bool database = request.store->kind == plan::StoreKind::postgres;
  auto done = database ? restore_database(shell, *session, request, choice)
                       : restore_files(shell, *session, request, choice);
  LB_TRY(act->finish(done.ok(),
                     done.ok() ? cat("Restored to ", request.folder) : done.error().text(),
                     done.ok() ? *done : Json::object()));
  auto healed = tell_healed(shell.console, *session->healing);
  // What only a copy got would be taken for mirrored.
  auto mirrored = args.has("from") ? Status() : session->journal->mirror(*session->repository);
  if (!mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (!done.ok()) return std::move(done).take_error();
  done.value().set("healed", healed);
  shell.console.event("lifeboat.summary/1", *done);
  return static_cast<ExitCode>((*done)["exit"].integer());
}

}  // namespace

Verb restore_verb() {
  return {
      {"restore",
       "Brings one store back, to the newest or any other point, into a folder.",
       {"lifeboat restore db --to /srv/recovered --at 2026-01-13T02:14:00Z   # to that second",
        "lifeboat restore media --to /tmp/look --only voiceovers             # one folder of a "
        "tree"},
       "restore STORE --to FOLDER|original [--at T | --before X | --lsn L | --name N | --point P] "
       "[flags]",
       {{"to", 0, "FOLDER", "where to; 'original' is the place the store is backed up from", false},
        {"at", 0, "TIME", "the last commit at or before this time (RFC 3339, with a zone)", false},
        {"before", 0, "XID|LSN", "everything before this commit", false},
        {"lsn", 0, "LSN", "everything up to this log position", false},
        {"name", 0, "NAME", "a named restore point", false},
        {"point", 0, "ID", "exactly this snapshot", false},
        {"only", 0, "PATH", "files: only this path below the root; may repeat", true},
        {"exact", 0, "", "files: also delete what the point does not have (lists it and asks)",
         false},
        {"from", 0, "COPY", "read this copy, by number or address, instead of the repository",
         false},
        {"confirm", 0, "SYSTEM", "the system's name, instead of typing it", false},
        {"dry-run", 'n', "", "say what would be done", false}},
       1},
      run};
}

}  // namespace lb::cli
