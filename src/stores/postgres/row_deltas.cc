#include "stores/postgres/row_deltas.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

// 16 bytes each: about 1 GiB. Beyond it the counts are given up, not the memory.
constexpr std::size_t kept_max = 64u << 20;

// What pg_current_snapshot() prints; ids are 64 bits wide there.
struct Snapshot {
  std::uint64_t xmin = 0, xmax = 0;
  std::vector<std::uint64_t> open;  // sorted
  bool sees(std::uint64_t xid) const {
    return xid < xmax && !std::binary_search(open.begin(), open.end(), xid);
  }
};

Result<Snapshot> parse_snapshot(const std::string& text) {
  auto parts = split(text, ':');
  if (parts.size() != 3)
    return Error(ErrorKind::invalid, cat("not a snapshot: '", printable(text), "'"));
  Snapshot snapshot;
  auto xmin = LB_TRY(parse_uint(parts[0]).context("snapshot"));
  auto xmax = LB_TRY(parse_uint(parts[1]).context("snapshot"));
  if (xmin > xmax) return Error(ErrorKind::invalid, cat("not a snapshot: '", printable(text), "'"));
  snapshot.xmin = xmin;
  snapshot.xmax = xmax;
  if (parts[2].empty()) return snapshot;
  for (const auto& id : split(parts[2], ',')) {
    auto xid = LB_TRY(parse_uint(id).context("snapshot"));
    snapshot.open.push_back(xid);
  }
  std::sort(snapshot.open.begin(), snapshot.open.end());
  return snapshot;
}

// The log has 32-bit ids; the full one is that within 2^31 of a known neighbour.
std::uint64_t widen(std::uint32_t xid, std::uint64_t near) {
  auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(near));
  return near + static_cast<std::uint64_t>(std::int64_t{distance});
}

bool precedes(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

Error not_exact(std::string why) {
  return Error(ErrorKind::unsupported, cat("rows cannot be counted from the log: ", why));
}

}  // namespace

std::uint32_t RowCounter::index_of(const RelationId& relation) {
  if (newest_relation_ && newest_relation_->first == relation) return newest_relation_->second;
  auto fresh = static_cast<std::uint32_t>(relations_.size());
  auto [place, added] = index_.emplace(relation, fresh);
  if (added) relations_.push_back(relation);
  newest_relation_ = std::pair(relation, place->second);
  return place->second;
}

void RowCounter::add(std::uint32_t xid, const RelationId& relation, std::int64_t rows) {
  auto index = index_of(relation);
  auto& deltas = open_[xid];
  // The relation met last stands at the end: a load of many rows finds it at once.
  for (std::size_t i = deltas.size(); i-- > 0;) {
    if (deltas[i].relation != index) continue;
    deltas[i].rows += rows;
    std::swap(deltas[i], deltas.back());
    return;
  }
  deltas.push_back({index, rows});
}

void RowCounter::ended(const TransactionEnd& end, Lsn end_lsn) {
  Ended commit{end_lsn, end.xid, static_cast<std::uint32_t>(kept_.size()), 0};
  auto close = [&](std::uint32_t xid) {
    auto found = open_.find(xid);
    if (found == open_.end()) return;
    if (end.commit && !overflow_)
      kept_.insert(kept_.end(), found->second.begin(), found->second.end());
    open_.erase(found);
  };
  close(end.xid);
  for (auto child : end.children) close(child);
  commit.count = static_cast<std::uint32_t>(kept_.size()) - commit.first;
  // A commit without counted rows is kept when its rows may lie before the scan.
  bool may_be_older = !first_next_ || precedes(end.xid, *first_next_);
  if (end.commit && end.xid != 0 && !overflow_ && (commit.count > 0 || may_be_older)) {
    committed_.push_back(commit);
  }
  overflow_ = overflow_ || kept_.size() > kept_max || committed_.size() > kept_max;
}

void RowCounter::next_known(std::uint32_t next) {
  if (!first_next_) first_next_ = next;
}

void RowCounter::forget_below(std::uint32_t oldest) {
  std::erase_if(open_, [oldest](const auto& entry) { return precedes(entry.first, oldest); });
}

Result<std::map<RelationId, std::int64_t>> RowCounter::total(const std::string& snapshot_text,
                                                             Lsn until,
                                                             const std::string& as_of_text) const {
  auto snapshot = LB_TRY(parse_snapshot(snapshot_text));
  std::optional<Snapshot> as_of;
  if (!as_of_text.empty()) as_of = LB_TRY(parse_snapshot(as_of_text));
  if (overflow_) return not_exact("too many transactions in one range");
  if (!first_next_) return not_exact("the log scanned names no running transactions");
  auto first_next = widen(*first_next_, snapshot.xmax);
  if (first_next > snapshot.xmax) {
    return not_exact("the log scanned begins after the moment of the recorded counts");
  }
  std::map<RelationId, std::int64_t> rows;
  for (const auto& commit : committed_) {
    auto xid = widen(commit.xid, snapshot.xmax);
    if (commit.end_lsn > until || snapshot.sees(xid)) continue;
    if (as_of && !as_of->sees(xid)) continue;
    if (xid < first_next) {
      return not_exact(cat("transaction ", xid,
                           " was open when rows were counted and began before the log scanned"));
    }
    for (std::size_t i = commit.first; i < std::size_t{commit.first} + commit.count; ++i) {
      rows[relations_[kept_[i].relation]] += kept_[i].rows;
    }
  }
  std::erase_if(rows, [](const auto& entry) { return entry.second == 0; });
  return rows;
}

}  // namespace lb::pg
