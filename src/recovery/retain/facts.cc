#include "recovery/retain/facts.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/restore/points.h"
#include "storage/state/journal.h"

namespace lb::retain {

namespace {

// The newest proof counts, whichever drill gave it.
std::set<std::string> proven_points(const std::vector<record::DrillRecord>& drills) {
  std::set<std::string> out;
  for (const auto& drill : drills) {
    if (drill.verdict != record::Verdict::pass) continue;
    for (const auto& store : drill.stores) out.insert(store.point);
  }
  return out;
}

std::uint64_t segment_of(pg::Lsn lsn, std::uint64_t segment_bytes) {
  return segment_bytes == 0 ? 0 : lsn / segment_bytes;
}

// Marks which bases of one store lie on one stretch of log, and what each needs of it.
class LogReader {
 public:
  LogReader(const restore::StorePoints& points, bool continuous, Facts& facts)
      : points_(points), continuous_(continuous), facts_(facts) {}

  Status read() {
    for (const auto& snapshot : points_.snapshots) {
      auto details =
          LB_TRY(pg::decode_details(snapshot.meta.details).context(cat("snapshot ", snapshot.id)));
      add(snapshot, details);
    }
    for (const auto& log : points_.logs) {
      auto& stored = facts_.logs.stored[log.log_id];
      for (const auto& part : log.parts) stored.push_back(part.info.name.segment);
      std::sort(stored.begin(), stored.end());
      stored.erase(std::unique(stored.begin(), stored.end()), stored.end());
    }
    if (!last_log_.empty()) facts_.logs.current.insert(last_log_);
    return {};
  }

 private:
  void add(const repo::SnapshotInfo& snapshot, const pg::SnapshotDetails& details) {
    BaseLog base;
    base.log_id = details.log_id;
    base.first_segment = segment_of(details.start_lsn, details.segment_bytes);
    base.last_segment = segment_of(details.stop_lsn, details.segment_bytes);
    facts_.logs.bases.push_back({snapshot.id, base});
    pg::Window window;
    for (const auto& log : points_.logs) {
      if (log.log_id == details.log_id) {
        window = pg::window_of(log, details, snapshot.meta.taken);
      }
    }
    bool joined = details.log_id == last_log_ && details.start_lsn <= last_reach_;
    if (!joined) ++chain_;
    last_log_ = details.log_id;
    last_reach_ = std::max(joined ? last_reach_ : 0, window.to_lsn);
    for (auto& point : facts_.points) {
      if (point.id != snapshot.id) continue;
      point.flawed = !details.bad_pages.empty();
      if (!joined && !continuous_) continue;
      point.chain = chain_;
      point.chain_end = window.to ? window.to : std::optional(snapshot.meta.taken);
    }
  }

  const restore::StorePoints& points_;
  const bool continuous_;
  Facts& facts_;
  std::string last_log_;
  pg::Lsn last_reach_ = 0;
  int chain_ = 0;
};

}  // namespace

Result<Facts> read_facts(repo::Repository& repository, const plan::Plan& plan, Timestamp now) {
  Facts out;
  out.ledger = std::move(LB_TRY(repo::read_ledger(*repository.core())).ledger);
  auto proven = proven_points(LB_TRY(state::drills(repository)));
  for (const auto& snapshot : LB_TRY(repository.snapshots())) {
    Point point;
    point.id = snapshot.id;
    point.store = snapshot.meta.store;
    point.taken = snapshot.meta.taken;
    point.damaged = snapshot.meta.kind == "damaged";
    point.proven = proven.contains(snapshot.id);
    auto hold = out.ledger.holds.find(snapshot.id);
    if (hold != out.ledger.holds.end() && hold->second.holds_at(now)) point.held = hold->second;
    out.points.push_back(std::move(point));
  }
  for (const auto& store : plan.stores) {
    if (store.kind != plan::StoreKind::postgres) continue;
    auto points = LB_TRY(restore::read_points(repository, store));
    LB_TRY(LogReader(points, store.log_continuous, out).read());
  }
  return out;
}

std::map<std::string, std::vector<repo::LogRange>> removable_log(const LogFacts& facts,
                                                                 const RetentionPlan& decided,
                                                                 const plan::Retain& policy) {
  std::map<std::string, const Decision*> by_point;
  for (const auto& each : decided.decisions) by_point.emplace(each.point.id, &each);
  std::vector<BaseLog> bases;
  std::map<std::string, std::size_t> newest;  // log id -> position of its newest kept base
  for (const auto& [point, log] : facts.bases) {
    auto decision = by_point.find(point);
    auto base = log;
    // A point that came after the decision is kept.
    base.kept = decision == by_point.end() || decision->second->kept();
    // Without a window every moment after a kept base stays reachable.
    base.open =
        base.kept && (!policy.pitr || decision == by_point.end() || decision->second->anchors_pitr);
    if (base.kept) newest[base.log_id] = bases.size();
    bases.push_back(std::move(base));
  }
  for (const auto& log_id : facts.current) {
    if (newest.contains(log_id)) bases[newest[log_id]].open = true;
  }
  return removable_log(bases, facts.stored);
}

}  // namespace lb::retain
