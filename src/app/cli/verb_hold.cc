// hold, unhold: points that no retention removes.
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/collect/forget.h"

namespace lb::cli {

namespace {

// The one point whose id begins so.
Result<repo::SnapshotInfo> pick_point(repo::Repository& repository, const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "which point?").with_hint("lifeboat ls lists the points");
  }
  const auto& wanted = args.positionals[0];
  std::vector<repo::SnapshotInfo> found;
  for (auto& snapshot : LB_TRY(repository.snapshots())) {
    if (snapshot.id.starts_with(wanted)) found.push_back(std::move(snapshot));
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    return Error(ErrorKind::not_found, cat("there is no point '", printable(wanted), "'"))
        .with_hint("lifeboat ls lists the points")
        .with_exit(ExitCode::point_unreachable);
  }
  return Error(ErrorKind::invalid,
               cat("'", printable(wanted), "' is the beginning of ", found.size(), " points"))
      .with_hint("give more of the id; see lifeboat ls");
}

// "2026-06-01T00:00:00Z", or "90d" from now.
Result<std::optional<Timestamp>> read_until(const Args& args, Timestamp now) {
  if (!args.has("until")) return std::optional<Timestamp>();
  auto text = args.get("until");
  auto time = parse_time(text);
  if (!time.ok()) {
    auto duration = parse_duration(text);
    if (!duration.ok()) {
      return Error(ErrorKind::invalid,
                   cat("--until '", printable(text), "' is neither a time nor a duration"))
          .with_hint("such as 2026-06-01T00:00:00Z, or 90d");
    }
    time = now + *duration;
  }
  if (*time <= now) return Error(ErrorKind::invalid, "--until is in the past");
  return std::optional<Timestamp>(*time);
}

Result<ExitCode> tell(const Shell& shell, Session& session, state::Act& act,
                      const std::string& verb, const repo::SnapshotInfo& point, const Status& done,
                      const std::string& text) {
  if (!done.ok()) {
    LB_TRY(act.finish(false, done.error().text(), Json::object()));
    return done.error();
  }
  LB_TRY(act.finish(true, text, Json::object().set("point", point.id)));
  if (auto mirrored = session.journal->mirror(*session.repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", Json::object()
                                                  .set("verb", verb)
                                                  .set("ok", true)
                                                  .set("exit", 0)
                                                  .set("point", point.id)
                                                  .set("text", text));
  } else {
    shell.console.out(text);
  }
  return ExitCode::ok;
}

Result<ExitCode> hold(const Shell& shell, const Args& args) {
  auto now = shell.world.clock.now();
  repo::Hold hold;
  hold.until = LB_TRY(read_until(args, now));
  hold.why = args.get("why");
  if (hold.why.size() > 1000) return Error(ErrorKind::invalid, "--why is longer than 1000 bytes");
  hold.by = cat(shell.user, "@", shell.host);
  hold.placed = now;
  auto session = LB_TRY(Session::open(shell, args));
  auto point = LB_TRY(pick_point(*session->repository, args));
  auto act = LB_TRY(state::Act::begin(shell.world, *session->journal, "hold", point.meta.store,
                                      cat("Holding point ", point.id), Json::object()));
  auto done = repo::hold_point(*session->repository->core(), point.id, hold);
  auto text = cat("point ", point.id, " of ", point.meta.store, " is held ",
                  hold.until ? cat("until ", format_time_seconds(*hold.until)) : "until unhold");
  return tell(shell, *session, *act, "hold", point, done, text);
}

Result<ExitCode> unhold(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto point = LB_TRY(pick_point(*session->repository, args));
  auto act = LB_TRY(state::Act::begin(shell.world, *session->journal, "unhold", point.meta.store,
                                      cat("Releasing point ", point.id), Json::object()));
  auto held = repo::unhold_point(*session->repository->core(), point.id);
  auto text = cat("point ", point.id, " of ", point.meta.store,
                  held.ok() && *held ? " is no longer held" : " was not held");
  return tell(shell, *session, *act, "unhold", point, held.status(), text);
}

}  // namespace

Verb hold_verb() {
  return {{"hold",
           "Keeps a recovery point whatever retain: says.",
           {"lifeboat hold 06FQ0KZ4 --why \"before the migration\"",
            "lifeboat hold 06FQ0KZ4 --until 90d   # or a time: 2026-06-01T00:00:00Z"},
           "hold POINT [--why TEXT] [--until TIME]",
           {{"why", 0, "TEXT", "shown by ls and prune", false},
            {"until", 0, "TIME", "when it ends by itself: a time, or a duration from now", false}},
           1},
          hold};
}

Verb unhold_verb() {
  return {{"unhold",
           "Ends the hold of a recovery point.",
           {"lifeboat unhold 06FQ0KZ4         # the beginning of an id is enough",
            "lifeboat unhold 06FQ0KZ4 --json  # for a script"},
           "unhold POINT",
           {},
           1},
          unhold};
}

}  // namespace lb::cli
