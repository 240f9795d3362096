#include "stores/postgres/transaction_watch.h"

#include <algorithm>

namespace lb::pg {

namespace {

constexpr std::size_t listed_max = 100;    // relations named in one suspect
constexpr std::size_t held_max = 1 << 20;  // about 100 MiB
constexpr std::size_t found_max = 10'000;  // in one segment

bool precedes(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

// nullptr: the limit is reached, and the answer will say so.
TransactionWatch::Open* TransactionWatch::open_of(std::uint32_t xid) {
  if (newest_ != nullptr && newest_xid_ == xid) return newest_;
  auto found = open_.find(xid);
  if (found == open_.end()) {
    if (held_ >= held_max) {
      complete_ = false;
      return nullptr;
    }
    found = open_.try_emplace(xid).first;
    ++held_;
  }
  newest_xid_ = xid;
  newest_ = &found->second;
  return newest_;
}

void TransactionWatch::add_rows(Open& open, const Suspect::Rows& more) {
  for (std::size_t i = open.rows.size(); i-- > 0;) {
    if (open.rows[i].relation != more.relation) continue;
    open.rows[i].deleted += more.deleted;
    open.rows[i].updated += more.updated;
    std::swap(open.rows[i], open.rows.back());
    return;
  }
  open.rows.push_back(more);
}

void TransactionWatch::rows(std::uint32_t xid, const RelationId& relation, std::uint64_t deleted,
                            std::uint64_t updated) {
  auto* open = open_of(xid);
  if (open == nullptr) return;
  const auto before = open->rows.size();
  if (before >= listed_max) {
    // So many relations in one transaction: those that come first are what is told.
    auto known = std::find_if(open->rows.begin(), open->rows.end(),
                              [&](const auto& entry) { return entry.relation == relation; });
    if (known == open->rows.end()) return;
  }
  add_rows(*open, {relation, deleted, updated});
  held_ += open->rows.size() - before;
}

void TransactionWatch::created(std::uint32_t xid, const RelationId& relation) {
  auto* open = open_of(xid);
  if (open == nullptr) return;
  ++open->created_count;
  if (open->created.size() < listed_max) open->created.push_back(relation);
}

void TransactionWatch::database_dropped(std::uint32_t xid, const DatabaseId& database) {
  auto* open = open_of(xid);
  if (open != nullptr && open->databases_dropped.size() < listed_max) {
    open->databases_dropped.push_back(database);
  }
}

void TransactionWatch::join(Open& whole, Open&& part) {
  for (const auto& rows : part.rows) add_rows(whole, rows);
  whole.created.insert(whole.created.end(), part.created.begin(), part.created.end());
  whole.created.resize(std::min(whole.created.size(), listed_max));
  whole.created_count += part.created_count;
  whole.databases_dropped.insert(whole.databases_dropped.end(), part.databases_dropped.begin(),
                                 part.databases_dropped.end());
}

void TransactionWatch::ended(const TransactionEnd& end, Lsn lsn, Lsn end_lsn) {
  Open all;
  auto close = [&](std::uint32_t xid) {
    auto found = open_.find(xid);
    if (found == open_.end()) return;
    held_ -= 1 + found->second.rows.size();
    if (end.commit) join(all, std::move(found->second));
    open_.erase(found);
  };
  newest_ = nullptr;
  close(end.xid);
  for (auto child : end.children) close(child);
  std::erase_if(all.rows, [](const Suspect::Rows& rows) {
    return rows.deleted < rows_many && rows.updated < rows_many;
  });
  if (!end.commit) return;
  if (end.dropped.empty() && all.rows.empty() && all.databases_dropped.empty()) return;
  if (found_.size() >= found_max) {
    complete_ = false;
    return;
  }
  Suspect suspect{end.xid,
                  lsn,
                  end_lsn,
                  end.time,
                  {},
                  std::move(all.created),
                  end.dropped.size(),
                  all.created_count,
                  std::move(all.databases_dropped),
                  std::move(all.rows)};
  const auto listed = std::min(end.dropped.size(), listed_max);
  suspect.dropped.assign(end.dropped.begin(),
                         end.dropped.begin() + static_cast<std::ptrdiff_t>(listed));
  found_.push_back(std::move(suspect));
}

void TransactionWatch::forget_below(std::uint32_t oldest) {
  newest_ = nullptr;
  std::erase_if(open_, [&](const auto& entry) {
    if (!precedes(entry.first, oldest)) return false;
    held_ -= 1 + entry.second.rows.size();
    return true;
  });
}

std::vector<Suspect> TransactionWatch::take(bool& complete) {
  complete = complete_;
  complete_ = true;
  std::vector<Suspect> out;
  out.swap(found_);
  return out;
}

}  // namespace lb::pg
