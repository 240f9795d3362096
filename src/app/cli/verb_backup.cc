#include <algorithm>
#include <thread>

#include "app/cli/alert_desk.h"
#include "app/cli/follow_watch.h"
#include "app/cli/runbook_pages.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "model/plan/unsupported.h"
#include "recovery/archive/desk.h"
#include "recovery/backup/backup.h"
#include "stores/postgres/snapshot_details.h"
#include "stores/postgres/source.h"

namespace lb::cli {

namespace {

Json json_of(const std::string& store, const backup::StoreBackup& done) {
  Json unread = Json::array();
  for (const auto& item : done.unread) unread.push(item);
  Json unmet = Json::array();
  for (const auto& line : done.unmet) unmet.push(line);
  return Json::object()
      .set("store", store)
      .set("snapshot", done.snapshot.id)
      .set("taken", format_time(done.snapshot.meta.taken))
      .set("rows", done.snapshot.rows)
      .set("logical_bytes", done.snapshot.logical_bytes)
      .set("new_bytes", done.snapshot.new_bytes)
      .set("stored_bytes", done.snapshot.stored_bytes)
      .set("seconds", static_cast<double>(done.took.count()) / 1e6)
      .set("unread", std::move(unread))
      .set("unmet_expectations", std::move(unmet));
}

std::string line_of(const std::string& store, const backup::StoreBackup& done) {
  double seconds = static_cast<double>(done.took.count()) / 1e6;
  auto rate =
      seconds > 0
          ? static_cast<std::uint64_t>(static_cast<double>(done.snapshot.logical_bytes) / seconds)
          : 0;
  return cat(store, ": ", human_size(done.snapshot.logical_bytes), " in ",
             human_count(done.snapshot.rows), " items, ", human_size(done.snapshot.new_bytes),
             " new, ", human_size(done.snapshot.stored_bytes), " stored, ",
             human_duration(done.took), " (", human_size(rate), "/s), point ", done.snapshot.id);
}

// The exit code of the whole command: the worst of what its stores met.
struct Tally {
  std::size_t done = 0, failed = 0, unread = 0, unmet = 0;
  std::optional<Error> first_error;
  std::vector<watch::Finding> findings;

  ExitCode exit() const {
    if (first_error) return first_error->exit_code();
    if (unmet > 0) return ExitCode::check_not_met;
    return unread > 0 ? ExitCode::warnings : ExitCode::ok;
  }
};

std::string some_of(const std::vector<std::string>& lines) {
  constexpr std::size_t told_max = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(lines.size(), told_max); ++i)
    out += cat("\n", printable(lines[i]));
  if (lines.size() > told_max) out += cat("\nand ", lines.size() - told_max, " more");
  return out;
}

bool read_all_pages(const repo::SnapshotInfo& snapshot) {
  const auto details = pg::decode_details(snapshot.meta.details);
  return details.ok() && details->mode != "pages";
}

// What people are told of: failures, and points that have not all in them.
void find_wrong(const Shell& shell, const plan::Store& store,
                const Result<backup::StoreBackup>& done, Tally& tally) {
  auto& findings = tally.findings;
  if (!done.ok()) {
    if (done.error().kind() == ErrorKind::cancelled) return;
    findings.push_back({"backup failed", store.name, true, told_text(done.error())});
    for (auto& more : findings_of(done.error(), store.name, shell.host))
      findings.push_back(std::move(more));
    return;
  }
  const auto& id = done->snapshot.id;
  findings.push_back({"backup failed", store.name, !done->unmet.empty(),
                      cat("Point ", id, " of ", store.name,
                          " is not as the plan expects:", some_of(done->unmet))});
  findings.push_back({"store unreachable", cat(store.name, ", from ", shell.host), false, {}});
  const bool pages = store.kind == plan::StoreKind::postgres;
  const auto count = done->unread.size();
  // One that read changed pages alone says nothing of those that were damaged before.
  if (pages && count == 0 && !read_all_pages(done->snapshot)) return;
  const auto what = pages ? cat(count, count == 1 ? " page of " : " pages of ", store.name,
                                ", damaged or changed though the log did not say so, as found in ")
                          : cat(count, count == 1 ? " item of " : " items of ", store.name,
                                " could not be read, and not in ");
  findings.push_back({pages ? "data damaged" : "backup incomplete", store.name, count > 0,
                      cat(what, "point ", id, ":", some_of(done->unread))});
}

void take_one(const Shell& shell, const backup::Engine& engine, const plan::Store& store,
              const std::string& repository_folder, Tally& tally) {
  auto& console = shell.console;
  auto done =
      backup::back_up(engine, store, repository_folder, console.progress(store.name), shell.stop);
  console.end_progress();
  find_wrong(shell, store, done, tally);
  if (!done.ok()) {
    ++tally.failed;
    if (!tally.first_error) {
      tally.first_error = std::move(done).take_error();
    } else {
      console.fail("backup", done.error());
    }
    return;
  }
  ++tally.done;
  tally.unread += done->unread.size();
  tally.unmet += done->unmet.size();
  console.event("lifeboat.backup/1", json_of(store.name, *done));
  if (!console.options().json && !console.options().quiet) console.out(line_of(store.name, *done));
  constexpr std::size_t shown_max = 20;
  for (std::size_t i = 0; i < done->unread.size() && i < shown_max; ++i)
    console.warn(done->unread[i]);
  if (done->unread.size() > shown_max)
    console.warn(cat("and ", done->unread.size() - shown_max, " more unread items"));
  for (const auto& warning : done->snapshot.meta.warnings) {
    if (done->unread.empty()) console.warn(warning);
  }
  for (const auto& line : done->unmet) console.warn(cat(store.name, ": ", line));
}

Result<ExitCode> take_points(const Shell& shell, Session& session,
                             const std::vector<const plan::Store*>& stores) {
  backup::Engine engine{shell.world, *session.repository, *session.journal, *session.references,
                        shell.host};
  Tally tally;
  for (const auto* store : stores) {
    if (shell.stop.stop_requested()) break;
    take_one(shell, engine, *store, session.repository_folder, tally);
  }
  // A point without its runbooks is still a point.
  if (tally.done > 0) {
    auto kept = store_pages(shell, session);
    if (!kept.ok())
      shell.console.warn(cat("the pages of the runbooks are not stored: ", kept.error().text()));
  }
  auto mirrored = session.journal->mirror(*session.repository);
  if (!mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  tally.findings.push_back({"repository unreachable", cat("from ", shell.host), false, {}});
  tally.findings.push_back({"key unreachable", cat("from ", shell.host), false, {}});
  tell_people(shell, session, tally.findings);
  if (tally.first_error) {
    auto error = std::move(*tally.first_error);
    if (tally.done > 0)
      return std::move(error).with_left(cat(tally.done, " other stores were backed up"));
    return error;
  }
  if (shell.stop.stop_requested())
    return Error(ErrorKind::cancelled, "stopped; what was committed stays");
  shell.console.event("lifeboat.summary/1",
                      Json::object()
                          .set("verb", "backup")
                          .set("ok", tally.exit() == ExitCode::ok)
                          .set("exit", static_cast<int>(tally.exit()))
                          .set("stores", static_cast<std::uint64_t>(tally.done))
                          .set("unread", static_cast<std::uint64_t>(tally.unread)));
  return tally.exit();
}

pg::StreamOptions stream_options(const Shell& shell, const plan::Store& store) {
  pg::StreamOptions options;
  options.store = store.name;
  auto& console = shell.console;
  options.on_status = [&console, name = store.name](const pg::StreamStatus& status) {
    Json line = Json::object()
                    .set("store", name)
                    .set("at", format_time(status.at))
                    .set("durable", pg::format_lsn(status.durable))
                    .set("acknowledged", pg::format_lsn(status.acknowledged))
                    .set("timeline", std::int64_t{status.timeline})
                    .set("slot_state", status.slot_state);
    if (status.last_commit) line.set("last_commit", format_time(*status.last_commit));
    console.event("lifeboat.stream/1", std::move(line));
    if (!console.options().verbose) return;
    console.note(
        cat(name, ": durable to ", pg::format_lsn(status.durable),
            status.last_commit ? cat(", last commit ", format_time(*status.last_commit)) : ""));
  };
  options.on_trouble = [&console, name = store.name](const std::string& text) {
    console.warn(cat(name, ": ", text));
  };
  return options;
}

Status follow_one(const Shell& shell, Session& session, const plan::Store& store,
                  FollowWatch& watch) {
  auto act = LB_TRY(state::Act::begin(shell.world, *session.journal, cat("stream ", store.name),
                                      store.name, cat("Streaming the log of ", store.name),
                                      Json::object()));
  auto conninfo = LB_TRY(session.references->secret(store.address));
  auto options = stream_options(shell, store);
  options.admitted_timeline = LB_TRY(archive::admitted_timeline(*session.repository, store.name));
  if (!store.spool.empty()) {
    options.spool_folder = session.references->absolute(store.spool);
    if (store.spool_bytes_max) options.spool_bytes_max = *store.spool_bytes_max;
    if (!store.data.empty()) {
      options.on_trouble(
          "the spool is on the host of the database: what is only there is lost with that host");
    }
  }
  auto loud = options.on_trouble;
  options.on_trouble = [&](const std::string& text) {
    loud(text);
    watch.trouble(text, shell.world.clock.steady());
    if (auto noted = act->note(text); !noted.ok()) loud(noted.error().text());
  };
  auto shown = options.on_status;
  options.on_status = [&](const pg::StreamStatus& status) {
    shown(status);
    watch.status(status);
  };
  auto status = pg::stream_log(shell.world, *session.repository, conninfo, options, shell.stop);
  LB_TRY(act->finish(status.ok(), status.ok() ? "Stopped cleanly" : status.error().text(),
                     Json::object()));
  return std::move(status).context(cat("stream the log of ", store.name));
}

// Every backup of a store with a log leaves log. A key that may only write sees nothing else.
Result<bool> never_backed_up(repo::Repository& repository, const std::string& store) {
  if (repository.may_read()) {
    auto newest = LB_TRY(backup::newest_snapshot(repository, store));
    return newest.empty();
  }
  auto ids = LB_TRY(repository.log_ids());
  for (const auto& id : ids) {
    if (id.starts_with(cat(store, "-"))) return false;
  }
  return true;
}

// Streams until stopped. A store without any snapshot gets its first one, for a log alone restores
// nothing.
Result<ExitCode> follow(const Shell& shell, Session& session,
                        const std::vector<const plan::Store*>& stores) {
  std::vector<const plan::Store*> followed, bare;
  for (const auto* store : stores) {
    if (store->kind == plan::StoreKind::postgres && store->log_continuous)
      followed.push_back(store);
  }
  if (followed.empty()) {
    return Error(ErrorKind::invalid,
                 "no store to follow: none of them is postgres with log: continuous");
  }
  for (const auto* store : followed) {
    if (LB_TRY(never_backed_up(*session.repository, store->name))) bare.push_back(store);
  }
  std::vector<Status> results(followed.size());
  {
    FollowDesk desk(shell, session, followed);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < followed.size(); ++i) {
      threads.emplace_back([&, i] {
        results[i] = follow_one(shell, session, *followed[i], desk.of(i));
        desk.of(i).ended(results[i]);
      });
    }
    for (const auto* store : followed)
      shell.console.note(cat("streaming the log of ", store->name, "; stop with Ctrl-C"));
    if (!bare.empty()) {
      auto first = take_points(shell, session, bare);
      if (!first.ok()) shell.console.fail("backup", first.error());
    }
  }
  LB_TRY(session.journal->mirror(*session.repository));
  for (auto& result : results) {
    if (!result.ok()) return std::move(result).take_error();
  }
  return ExitCode::ok;
}

// Who would have been backed up, also when the repository cannot be opened.
std::vector<std::string> wanted(const Shell& shell, const Args& args) {
  std::vector<std::string> out;
  const auto read = read_plan_file(shell, plan_path(shell, args));
  if (!read.ok() || !read->ok()) return out;
  const auto stores = pick_stores(read->plan, args.positionals);
  if (!stores.ok()) return out;
  for (const auto* store : *stores) out.push_back(store->name);
  return out;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto opened = Session::open(shell, args, Reading::plain, Access::write);
  if (!opened.ok()) {
    tell_of_no_session(shell, args, opened.error(),
                       args.has("follow") ? "log failing" : "backup failed", wanted(shell, args));
    return std::move(opened).take_error();
  }
  auto session = std::move(opened).take();
  if (!session->repository->may_read()) {
    shell.console.note(
        "the key of this host may only write: no earlier point is read, so every file is read and "
        "compared by its content");
  }
  auto stores = LB_TRY(pick_stores(session->plan.plan, args.positionals));
  std::vector<std::string> names;
  names.reserve(stores.size());
  for (const auto* store : stores) names.push_back(store->name);
  LB_TRY(refuse_unsupported(shell, plan::unsupported_for_backup(session->plan.plan, names)));
  if (args.has("follow")) return follow(shell, *session, stores);
  if (!args.has("dry-run")) return take_points(shell, *session, stores);
  for (const auto* store : stores) {
    auto parent = LB_TRY(backup::newest_snapshot(*session->repository, store->name));
    shell.console.out(
        cat(store->name, ": ", plan::name_of(store->kind), " would be backed up ",
            parent.empty() ? "in full (first point)" : cat("on top of point ", parent)));
  }
  return ExitCode::ok;
}

}  // namespace

Verb backup_verb() {
  return {{"backup",
           "Takes a recovery point of every store, or of those named; --follow streams logs.",
           {"lifeboat backup                   # every store of the plan, now",
            "lifeboat backup db --follow       # stream PostgreSQL's log into the repository until "
            "stopped"},
           "backup [STORE...] [--follow] [-n]",
           {{"follow", 'f', "",
             "stream the log of postgres stores with log: continuous, until stopped", false},
            {"dry-run", 'n', "", "say what would be done", false}},
           1000},
          run};
}

}  // namespace lb::cli
