#include "app/cli/alert_desk.h"
#include "app/cli/copies.h"
#include "app/cli/copy_standing.h"
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/target_guard.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

// Whoever is at the terminal sees it; others should know that a recovery does not go well. What was
// asked for wrongly, or refused by a guard, is no failure.
void tell_of(const Shell& shell, Session& session, const plan::Store& store,
             const Result<Json>& done) {
  std::vector<watch::Finding> findings;
  if (done.ok()) {
    findings.push_back({"restore failed", store.name, false, {}});
  } else {
    const auto code = done.error().exit_code();
    const bool failed = code != ExitCode::usage && code != ExitCode::refused &&
                        done.error().kind() != ErrorKind::cancelled;
    if (failed) {
      findings = findings_of(done.error(), store.name, shell.host);
      findings.push_back({"restore failed", store.name, true, told_text(done.error())});
    }
  }
  tell_people(shell, session, findings);
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args, Reading::healing));
  auto request = LB_TRY(read_request(*session, args));
  auto points = LB_TRY(restore::read_points(*session->repository, *request.store));
  auto choice =
      LB_TRY(restore::choose(points, request.wish, shell.world.clock.now(), *session->repository));
  if (!session->copy.empty()) tell_standing(shell, *session);
  LB_TRY(check_target_rules(shell, *session, request, choice));
  LB_TRY(find_place(shell, *session, request));
  const auto& place = request.rescue ? request.rescue->into_words : request.folder;
  auto act = LB_TRY(state::Act::begin(
      shell.world, *session->journal, cat("restore ", request.store->name), request.store->name,
      cat("Restoring ", request.store->name, " to ", place),
      Json::object().set("point", choice.snapshot.id).set("from", session->copy)));
  bool database = request.store->kind == plan::StoreKind::postgres;
  auto restore = request.rescue ? restore_rescue : database ? restore_database : restore_files;
  if (request.replacement)
    restore = request.rescue ? restore_database_swap
              : database     ? restore_cluster_swap
                             : restore_tree_swap;
  auto done = restore(shell, *session, request, choice);
  LB_TRY(act->finish(done.ok(), done.ok() ? cat("Restored to ", place) : done.error().text(),
                     done.ok() ? *done : Json::object()));
  tell_of(shell, *session, *request.store, done);
  auto healed = tell_healed(shell.console, *session->healing);
  // What only a copy got would be taken for mirrored.
  auto mirrored =
      !session->copy.empty() ? Status() : session->journal->mirror(*session->repository);
  if (!mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (!done.ok()) return std::move(done).take_error();
  done.value().set("healed", healed).set("from", session->copy);
  shell.console.event("lifeboat.summary/1", *done);
  return static_cast<ExitCode>((*done)["exit"].integer());
}

}  // namespace

Verb restore_verb() {
  return {
      {"restore",
       "Brings one store back, to the newest or any other point, into a folder.",
       {"lifeboat restore db --to /srv/recovered --at 2026-01-13T02:14:00Z  # to that second",
        "lifeboat restore media --to /tmp/look --only voiceovers  # one folder of a tree",
        "lifeboat restore db --to /var/lib/postgresql/15/main --delta  # mend what is there",
        "lifeboat restore db --table public.orders --into env:DATABASE_URL  # as orders_restored",
        "lifeboat restore db --database shop --into env:ADMIN_URL --how beside-then-swap"},
       "restore STORE --to FOLDER|original | --table T|--database D --into CONNINFO\n"
       "       [--how beside-then-swap] [--at T | --before X | --lsn L | --name N | --point P] "
       "[flags]",
       {{"to", 0, "FOLDER", "where to; 'original' is the place the store is backed up from", false},
        {"at", 0, "TIME", "the last commit at or before this time (RFC 3339, with a zone)", false},
        {"before", 0, "XID|LSN", "everything before this commit", false},
        {"lsn", 0, "LSN", "everything up to this log position", false},
        {"name", 0, "NAME", "a named restore point", false},
        {"point", 0, "ID", "exactly this snapshot", false},
        {"timeline", 0, "N",
         "postgres: along this timeline, also one that was left in a failover (default: the "
         "newest)",
         false},
        {"only", 0, "PATH", "files: only this path below the root; may repeat", true},
        {"delta", 0, "",
         "postgres: turn the stopped data directory that is there into the point; writes only what "
         "differs",
         false},
        {"tablespace", 0, "OLD=NEW",
         "postgres: this tablespace, by the folder or name it had, goes into folder NEW instead of "
         "into the data directory; may repeat",
         true},
        {"table", 0, "TABLE", "postgres: bring only this table back, into a server: --into", false},
        {"into", 0, "CONNINFO", "the server that takes it: env:NAME, file:PATH or host=…", false},
        {"as", 0, "NAME", "its name there (default: the old one with _restored)", false},
        {"database", 0, "NAME",
         "postgres: bring only this database back, into a server; with --table: the one that holds "
         "it",
         false},
        {"how", 0, "HOW",
         "beside-then-swap: what is restored takes the place of what is live, which is kept: a "
         "data directory or file tree (--to), or a database of a running server (--database, "
         "--into)",
         false},
        {"keep-old", 0, "TIME", "with --how: how long what was live is kept (default: 7d)", false},
        {"check", 0, "SUITE", "with --how: checks of the plan that must pass first; may repeat",
         true},
        {"stop", 0, "COMMAND",
         "with --how, of a data directory or file tree: stops the service that uses it", false},
        {"start", 0, "COMMAND", "with --how, of a data directory or file tree: starts it again",
         false},
        {"run", 0, "ID", "with --how: go on with the swap of this id", false},
        {"exact", 0, "", "files: also delete what the point does not have (lists it and asks)",
         false},
        {"from", 0, "COPY", "read this copy, by number or address, instead of the repository",
         false},
        {"confirm", 0, "NAME", "the name that is asked for, instead of typing it", false},
        {"dry-run", 'n', "", "say what would be done", false}},
       1},
      run};
}

}  // namespace lb::cli
