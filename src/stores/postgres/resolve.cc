// resolve(): what point is wanted, is it reachable, and where exactly does replay stop. The
// decision is made in pure functions over the path's summaries; only the few segments around the
// point are read, to find the exact record.
#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_index.h"
#include "stores/postgres/log_path.h"

namespace lb::pg {

namespace {

// What every step needs to know.
struct Question {
  const LogPath& path;
  const SnapshotDetails& snapshot;
  const Wanted& wanted;
  Timestamp now;
  repo::Repository& repository;
  std::uint64_t segment_bytes;
};

std::string describe(const Commit& commit) {
  return cat("transaction ", commit.xid, " at ", format_time(commit.time), " (LSN ",
             format_lsn(commit.end_lsn), ")");
}

// Where a person can go instead.
std::string reachable(const Question& question) {
  const auto& path = question.path;
  auto last = path.last_commit();
  auto from =
      cat("from this snapshot every point from LSN ", format_lsn(question.snapshot.stop_lsn));
  if (!last || last->end_lsn <= question.snapshot.stop_lsn) {
    return cat(from, " to LSN ", format_lsn(path.end), " can be reached; it holds no commit");
  }
  return cat(from, " to the commit of ", describe(*last), " can be reached");
}

Error unreachable(const Question& question, std::string message) {
  return Error(ErrorKind::not_found, std::move(message))
      .with_exit(ExitCode::point_unreachable)
      .with_hint(reachable(question));
}

std::string hole_text(const LogHole& hole, std::uint64_t segment_bytes) {
  auto first = segment_name(hole.timeline, hole.first_segment, segment_bytes);
  auto last = segment_name(hole.timeline, hole.last_segment, segment_bytes);
  return first == last ? cat("WAL ", first, " is missing or cannot be read")
                       : cat("WAL ", first, " to ", last, " are missing or cannot be read");
}

// The reason why nothing after the path's end can be reached.
Error past_the_end(const Question& question, const std::string& wanted) {
  const auto& hole = question.path.hole;
  auto last = question.path.last_commit();
  auto known = last ? cat("the last commit reachable is ", describe(*last))
                    : std::string("no commit is reachable");
  if (hole) {
    return unreachable(question, cat(wanted, " lies in or beyond a hole of the log: ",
                                     hole_text(*hole, question.segment_bytes), "; ", known));
  }
  return unreachable(question, cat(wanted, " lies beyond the archived log, which ends at LSN ",
                                   format_lsn(question.path.end), "; ", known));
}

Error before_the_window(const Question& question, const std::string& wanted) {
  return Error(ErrorKind::not_found, cat(wanted, " lies before the snapshot is consistent (LSN ",
                                         format_lsn(question.snapshot.stop_lsn), ")"))
      .with_exit(ExitCode::point_unreachable)
      .with_hint(cat("choose an older snapshot; ", reachable(question)));
}

// Scans parts [first, last] of the path in one go; bytes from `until` on are not fed.
Status scan(const Question& question, std::size_t first, std::size_t last, Lsn until,
            WalScanner& scanner) {
  for (auto i = first; i <= last && !scanner.reached_end(); ++i) {
    const auto& name = question.path.parts[i]->info.name;
    auto from = name.segment * question.segment_bytes;
    if (from >= until) break;
    auto label = segment_name(name.timeline, name.segment, question.segment_bytes);
    auto bytes = LB_TRY(question.repository.get_log(name).context(cat("WAL ", label)));
    auto size = std::min<std::uint64_t>(bytes.size(), until - from);
    LB_TRY(scanner.feed(ByteView(bytes).first(size)).context(cat("WAL ", label)));
  }
  return {};
}

std::unique_ptr<WalScanner> scanner_at(const Question& question, std::size_t part) {
  auto start = question.path.parts[part]->info.name.segment * question.segment_bytes;
  return WalScanner::create(start, question.segment_bytes,
                            {.commits = true, .aborts = false, .row_deltas = false});
}

std::size_t part_with(const Question& question, Lsn lsn) {
  auto first = question.path.parts.front()->info.name.segment;
  auto segment = std::max(lsn / question.segment_bytes, first);
  return std::min<std::size_t>(segment - first, question.path.parts.size() - 1);
}

// The newest commit that ends at or before `end`, from the commits at hand, else from the
// summaries.
std::optional<Commit> newest_commit(const Question& question, const std::vector<Commit>& commits,
                                    Lsn end) {
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    if (commit->end_lsn <= end) return *commit;
  }
  const auto& parts = question.path.parts;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const auto& commit = (*part)->summary.last_commit;
    if (commit && commit->end_lsn <= end) return *commit;
  }
  return std::nullopt;
}

// The target that stops before the record at `stop`, or after it when inclusive. Replay must read
// that whole record to know that it is there, hence the segments up to its end.
RecoveryTarget target_at(const Question& question, std::optional<Lsn> stop, bool inclusive) {
  RecoveryTarget target;
  target.timeline = question.path.timeline;
  target.start = question.snapshot.start_lsn;
  target.stop_lsn = stop;
  target.inclusive = inclusive;
  target.log_end = question.path.end;
  for (const auto* part : question.path.parts) {
    target.needed.push_back(part->info);
    bool ends_a_record = part->summary.end_lsn > part->summary.first_lsn;
    if (stop && ends_a_record && part->summary.end_lsn > *stop) break;
  }
  return target;
}

// Everything up to the last record that ends at or before `lsn`.
Result<RecoveryTarget> target_to(const Question& question, Lsn lsn) {
  auto last = part_with(question, lsn == 0 ? 0 : lsn - 1);
  auto first = last > 0 ? last - 1 : 0;
  auto scanner = scanner_at(question, first);
  LB_TRY(scan(question, first, last, lsn, *scanner));
  while (first > 0 && scanner->summary().end_lsn == scanner->summary().first_lsn) {
    --first;
    scanner = scanner_at(question, first);
    LB_TRY(scan(question, first, last, lsn, *scanner));
  }
  auto boundary = std::max(scanner->summary().end_lsn, question.snapshot.stop_lsn);
  bool at_end = boundary >= question.path.end;
  auto target = target_at(question, at_end ? std::nullopt : std::optional(boundary), false);
  target.last_commit = newest_commit(question, scanner->commits(), boundary);
  return target;
}

Result<RecoveryTarget> resolve_latest(const Question& question) {
  if (question.path.hole) return past_the_end(question, "the latest point");
  return target_to(question, question.path.end);
}

Result<RecoveryTarget> resolve_snapshot(const Question& question) {
  auto target = LB_TRY(target_to(question, question.snapshot.stop_lsn));
  target.stop_lsn.reset();
  target.at_consistency = true;
  return target;
}

Result<RecoveryTarget> resolve_lsn(const Question& question) {
  auto lsn = question.wanted.lsn;
  auto text = cat("LSN ", format_lsn(lsn));
  if (lsn < question.snapshot.stop_lsn) return before_the_window(question, text);
  if (lsn > question.path.end) return past_the_end(question, text);
  return target_to(question, lsn);
}

// The time of the newest commit itself is the last that is proven: what committed later may be
// missing.
Result<RecoveryTarget> resolve_newest_time(const Question& question) {
  auto text = format_time(question.wanted.time);
  auto newest = question.path.newest_time();
  if (question.wanted.time > question.now)
    return unreachable(question, cat(text, " lies in the future"));
  if (!newest || question.wanted.time > *newest) return past_the_end(question, text);
  auto last = question.path.last_commit();
  if (!last) return past_the_end(question, text);
  if (last->end_lsn <= question.snapshot.stop_lsn) return before_the_window(question, text);
  auto target = target_at(question, last->lsn, true);
  target.last_commit = last;
  return target;
}

// Stops before the first commit that is later than the time asked for, as the server itself would;
// nothing when no summary knows a later commit.
Result<std::optional<RecoveryTarget>> stop_before_later_commit(const Question& question) {
  const auto& parts = question.path.parts;
  auto wanted = question.wanted.time;
  auto later = std::find_if(parts.begin(), parts.end(), [&](const LogPart* part) {
    return part->summary.max_commit_time && *part->summary.max_commit_time > wanted;
  });
  if (later == parts.end()) return std::optional<RecoveryTarget>();
  auto part = static_cast<std::size_t>(later - parts.begin());
  // Two segments earlier: a commit that lies across two segments may stand in no summary.
  auto first = part > 1 ? part - 2 : 0;
  auto scanner = scanner_at(question, first);
  LB_TRY(scan(question, first, part, question.path.end, *scanner));
  for (const auto& commit : scanner->commits()) {
    if (commit.time <= wanted) continue;
    if (commit.lsn < question.snapshot.stop_lsn) {
      return before_the_window(question, format_time(wanted));
    }
    auto target = target_at(question, commit.lsn, false);
    target.last_commit = newest_commit(question, scanner->commits(), commit.lsn);
    return std::optional(std::move(target));
  }
  return std::optional<RecoveryTarget>();
}

Result<RecoveryTarget> resolve_time(const Question& question) {
  auto target = LB_TRY(stop_before_later_commit(question));
  if (!target) {
    auto newest = LB_TRY(resolve_newest_time(question));
    target = std::move(newest);
  }
  target->stop_time = question.wanted.time;
  return std::move(*target);
}

Result<RecoveryTarget> resolve_name(const Question& question) {
  std::vector<RestorePoint> points;
  std::vector<std::string> all;
  std::optional<RestorePoint> early;
  for (const auto* part : question.path.parts) {
    for (const auto& point : part->summary.restore_points) {
      if (point.end_lsn > question.path.end) continue;
      all.push_back(point.name);
      if (point.name != question.wanted.name) continue;
      if (point.end_lsn < question.snapshot.stop_lsn) {
        early = point;
      } else {
        points.push_back(point);
      }
    }
  }
  auto text = cat("restore point '", printable(question.wanted.name), "'");
  if (points.empty() && early) return before_the_window(question, text);
  if (points.empty()) {
    auto near = nearest(question.wanted.name, all);
    auto error =
        unreachable(question, cat(text, " is not in the log reachable from this snapshot"));
    if (near.empty()) return error;
    return Error(error.kind(), error.message())
        .with_exit(ExitCode::point_unreachable)
        .with_hint(cat("did you mean '", printable(near), "'? ", error.hint()));
  }
  if (points.size() > 1) {
    std::vector<std::string> places;
    for (const auto& point : points) {
      places.push_back(cat(format_lsn(point.end_lsn), " (", format_time(point.time), ")"));
    }
    return Error(ErrorKind::invalid, cat(text, " was set ", points.size(), " times"))
        .with_exit(ExitCode::point_unreachable)
        .with_hint(cat("name one by its LSN: ", join(places, ", ")));
  }
  auto target = LB_TRY(target_to(question, points.front().end_lsn));
  target.stop_name = question.wanted.name;
  return target;
}

bool is_wanted(const Wanted& wanted, const Commit& commit) {
  return wanted.lsn != 0 ? commit.lsn == wanted.lsn : commit.xid == wanted.xid;
}

// Looks through the path for the commit, forgetting as it goes: only the newest one before it is
// kept.
Result<RecoveryTarget> resolve_before_commit(const Question& question) {
  const auto& wanted = question.wanted;
  auto text = wanted.lsn != 0 ? cat("the commit at LSN ", format_lsn(wanted.lsn))
                              : cat("the commit of transaction ", wanted.xid);
  bool by_place = wanted.lsn != 0;
  if (by_place && wanted.lsn < question.snapshot.stop_lsn) return before_the_window(question, text);
  if (by_place && wanted.lsn >= question.path.end) return past_the_end(question, text);
  auto part = part_with(question, by_place ? wanted.lsn : question.snapshot.start_lsn);
  auto last = by_place ? std::min(part + 1, question.path.parts.size() - 1)
                       : question.path.parts.size() - 1;
  if (part > 0) --part;
  auto scanner = scanner_at(question, part);
  std::vector<Commit> before;
  for (auto i = part; i <= last && !scanner->reached_end(); ++i) {
    LB_TRY(scan(question, i, i, question.path.end, *scanner));
    for (const auto& commit : scanner->take_commits()) {
      if (!is_wanted(wanted, commit)) {
        before.assign(1, commit);
        continue;
      }
      if (commit.lsn < question.snapshot.stop_lsn) return before_the_window(question, text);
      auto target = target_at(question, commit.lsn, false);
      target.last_commit = newest_commit(question, before, commit.lsn);
      return target;
    }
  }
  return unreachable(question, cat(text, " is not in the log reachable from this snapshot"));
}

Result<RecoveryTarget> decide(const Question& question) {
  switch (question.wanted.kind) {
    case Wanted::Kind::latest:
      return resolve_latest(question);
    case Wanted::Kind::snapshot:
      return resolve_snapshot(question);
    case Wanted::Kind::time:
      return resolve_time(question);
    case Wanted::Kind::lsn:
      return resolve_lsn(question);
    case Wanted::Kind::name:
      return resolve_name(question);
    case Wanted::Kind::before_commit:
      return resolve_before_commit(question);
  }
  return Error(ErrorKind::internal, "unknown kind of point");
}

// The log that makes the snapshot consistent must be whole before anything else is asked.
Status check_base(const Question& question) {
  const auto& path = question.path;
  if (path.parts.empty() || path.end < question.snapshot.stop_lsn) {
    auto segment = path.parts.empty() ? question.snapshot.start_lsn / question.segment_bytes
                                      : path.parts.back()->info.name.segment +
                                            (path.parts.back()->info.complete ? 1 : 0);
    return Error(ErrorKind::not_found,
                 cat("the log that makes the snapshot consistent is not whole: WAL ",
                     segment_name(path.timeline, segment, question.segment_bytes),
                     " is missing or cut short (needed: LSN ",
                     format_lsn(question.snapshot.start_lsn), " to ",
                     format_lsn(question.snapshot.stop_lsn), ")"))
        .with_exit(ExitCode::point_unreachable)
        .with_hint("choose another snapshot; this one cannot be started without that segment");
  }
  for (const auto* part : path.parts) {
    auto identifier = part->summary.system_identifier;
    if (identifier != 0 && std::to_string(identifier) != question.snapshot.system_identifier) {
      return Error(ErrorKind::corrupt,
                   cat("the log belongs to database system ", identifier, ", the snapshot to ",
                       question.snapshot.system_identifier));
    }
  }
  return {};
}

}  // namespace

Result<RecoveryTarget> resolve(const LogIndex& index, const SnapshotDetails& snapshot,
                               const Wanted& wanted, Timestamp now, repo::Repository& repository) {
  auto timeline = wanted.timeline.value_or(newest_descendant(index, snapshot));
  auto path = LB_TRY(trace_path(index, snapshot, timeline));
  Question question{path, snapshot, wanted, now, repository, index.segment_bytes};
  LB_TRY(check_base(question));
  return decide(question);
}

}  // namespace lb::pg
