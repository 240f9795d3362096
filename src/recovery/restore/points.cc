#include "recovery/restore/points.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::restore {

namespace {

Error unreachable(std::string text) {
  return Error(ErrorKind::not_found, std::move(text)).with_exit(ExitCode::point_unreachable);
}

const pg::LogIndex* log_of(const StorePoints& points, const std::string& log_id) {
  for (const auto& log : points.logs) {
    if (log.log_id == log_id) return &log;
  }
  return nullptr;
}

// Snapshots worth trying for the wish, best first.
Result<std::vector<repo::SnapshotInfo>> candidates(const StorePoints& points, const Wish& wish) {
  std::vector<repo::SnapshotInfo> out;
  for (auto snapshot = points.snapshots.rbegin(); snapshot != points.snapshots.rend(); ++snapshot) {
    bool fits = true;
    if (!wish.snapshot.empty()) fits = snapshot->id.starts_with(wish.snapshot);
    if (wish.wanted.kind == pg::Wanted::Kind::time)
      fits = fits && snapshot->meta.taken <= wish.wanted.time;
    if (fits) out.push_back(*snapshot);
  }
  if (!wish.snapshot.empty() && out.size() > 1) {
    return Error(ErrorKind::invalid,
                 cat("'", wish.snapshot, "' is the beginning of ", out.size(), " snapshots"))
        .with_hint("give more of the id; see lifeboat ls");
  }
  if (!out.empty()) return out;
  if (points.snapshots.empty()) {
    return unreachable(cat("store ", points.store, " has no recovery point"))
        .with_hint(cat("lifeboat backup ", points.store));
  }
  const auto& oldest = points.snapshots.front();
  const auto& newest = points.snapshots.back();
  auto known = cat("oldest ", format_time_seconds(oldest.meta.taken), ", newest ",
                   format_time_seconds(newest.meta.taken));
  if (!wish.snapshot.empty()) {
    return unreachable(cat("store ", points.store, " has no snapshot '", wish.snapshot, "'"))
        .with_hint(cat("recovery points: ", known, "; see lifeboat ls ", points.store));
  }
  return unreachable(cat("store ", points.store, " cannot go back to ",
                         format_time(wish.wanted.time), ": its oldest recovery point is ",
                         format_time(oldest.meta.taken)))
      .with_hint(cat("--at ", format_time(oldest.meta.taken), " is the earliest (", known, ")"));
}

Result<Choice> choose_files(const StorePoints& points, const Wish& wish, Timestamp now) {
  using Kind = pg::Wanted::Kind;
  if (wish.wanted.kind != Kind::latest && wish.wanted.kind != Kind::time &&
      wish.wanted.kind != Kind::snapshot) {
    return Error(ErrorKind::invalid,
                 cat("store ", points.store, " has no log: choose --at TIME or --point ID"));
  }
  if (wish.wanted.kind == Kind::time && wish.wanted.time > now) {
    return unreachable(
        cat(format_time(wish.wanted.time), " is in the future (now ", format_time(now), ")"));
  }
  auto fitting = LB_TRY(candidates(points, wish));
  return Choice{points.store, points.kind, fitting.front(), std::nullopt, std::nullopt};
}

Result<Choice> choose_postgres(const StorePoints& points, const Wish& wish, Timestamp now,
                               repo::Repository& repository) {
  if (wish.wanted.kind == pg::Wanted::Kind::time && wish.wanted.time > now) {
    return unreachable(
        cat(format_time(wish.wanted.time), " is in the future (now ", format_time(now), ")"));
  }
  auto fitting = LB_TRY(candidates(points, wish));
  std::optional<Error> first;
  for (const auto& snapshot : fitting) {
    auto details = LB_TRY(pg::decode_details(snapshot.meta.details));
    const auto* log = log_of(points, details.log_id);
    pg::LogIndex none{details.log_id, details.segment_bytes, {}, {}, {}};
    auto target = pg::resolve(log != nullptr ? *log : none, details, wish.wanted, now, repository);
    if (target.ok()) {
      return Choice{points.store, points.kind, snapshot, std::move(details),
                    std::move(target).take()};
    }
    // An older base may reach a point before this one's start; it never reaches past a hole this
    // one cannot, so the first refusal is the one to show.
    if (!first) first = std::move(target).take_error();
  }
  return std::move(*first).context(cat("store ", points.store));
}

// The wish for a store with a log, when the group stands at `moment`. A log that ends before the
// moment holds everything up to it: then its end is the moment.
Wish wish_at(const StorePoints& points, const Wish& wish, std::optional<Timestamp> moment) {
  if (!moment || points.snapshots.empty()) return wish;
  Wish out = wish;
  const auto& newest = points.snapshots.back();
  auto details = pg::decode_details(newest.meta.details);
  const auto* log = details.ok() ? log_of(points, details->log_id) : nullptr;
  if (log != nullptr && wish.wanted.kind != pg::Wanted::Kind::time) {
    auto window = pg::window_of(*log, *details, newest.meta.taken);
    if (!window.to || *window.to <= *moment) return out;
  }
  out.wanted.kind = pg::Wanted::Kind::time;
  out.wanted.time = *moment;
  return out;
}

}  // namespace

Result<StorePoints> read_points(repo::Repository& repository, const plan::Store& store) {
  StorePoints points{store.name, store.kind, {}, {}};
  auto all = LB_TRY(repository.snapshots());
  for (auto& snapshot : all) {
    if (snapshot.meta.store == store.name) points.snapshots.push_back(std::move(snapshot));
  }
  if (store.kind != plan::StoreKind::postgres) return points;
  for (const auto& snapshot : points.snapshots) {
    auto details =
        LB_TRY(pg::decode_details(snapshot.meta.details).context(cat("snapshot ", snapshot.id)));
    if (log_of(points, details.log_id) != nullptr) continue;
    points.logs.push_back(
        LB_TRY(pg::read_log_index(repository, details.log_id, details.segment_bytes)));
  }
  return points;
}

Result<Choice> choose(const StorePoints& points, const Wish& wish, Timestamp now,
                      repo::Repository& repository) {
  if (points.kind == plan::StoreKind::postgres)
    return choose_postgres(points, wish, now, repository);
  return choose_files(points, wish, now);
}

Result<std::vector<Choice>> choose_together(const std::vector<StorePoints>& stores,
                                            const Wish& wish, Timestamp now,
                                            repo::Repository& repository) {
  std::vector<Choice> without_log;
  std::optional<Timestamp> moment;
  if (wish.wanted.kind == pg::Wanted::Kind::time) moment = wish.wanted.time;
  for (const auto& points : stores) {
    if (points.kind == plan::StoreKind::postgres) continue;
    without_log.push_back(LB_TRY(choose(points, wish, now, repository)));
    auto started = without_log.back().snapshot.meta.started;
    if (!moment || started < *moment) moment = started;
  }
  std::vector<Choice> out;
  for (const auto& points : stores) {
    if (points.kind != plan::StoreKind::postgres) {
      auto same = [&](const Choice& choice) { return choice.store == points.store; };
      out.push_back(*std::find_if(without_log.begin(), without_log.end(), same));
      continue;
    }
    out.push_back(LB_TRY(choose(points, wish_at(points, wish, moment), now, repository)));
  }
  return out;
}

Result<Wish> parse_wish(const std::string& text) {
  Wish wish;
  if (text.empty() || text == "latest") return wish;
  wish.wanted.kind = pg::Wanted::Kind::time;
  wish.wanted.time = LB_TRY(parse_time(text));
  return wish;
}

}  // namespace lb::restore
