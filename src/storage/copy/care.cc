#include "storage/copy/care.h"

#include "storage/repo/format.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"

namespace lb::copy {

namespace {

using Segments = std::map<std::string, std::set<std::uint64_t>>;  // of each log, any timeline

Result<Segments> segments_in(BlobStore& store) {
  Segments out;
  for (const auto& object : LB_TRY(store.list("w/"))) {
    auto key = repo::parse_log_key(object.key);
    if (key && key->kind != repo::LogKey::Kind::history) {
      out[key->name.store].insert(key->name.segment);
    }
  }
  return out;
}

// The parts of a range between the segments that are there.
void add_absent(const repo::LogRange& range, const std::set<std::uint64_t>& there,
                std::vector<repo::LogRange>& out) {
  auto first = range.first;
  for (auto at = there.lower_bound(range.first); at != there.end() && *at < range.end; ++at) {
    if (*at > first) out.push_back({first, *at});
    first = *at + 1;
  }
  if (first < range.end) out.push_back({first, range.end});
}

bool share_ended(const repo::Ledger& source, const std::set<std::string>& verdicts,
                 repo::Ledger& mine) {
  bool changed = false;
  for (const auto& [session, mark] : source.ended) {
    if (verdicts.contains(session)) continue;  // the copy keeps it: its own retention decides
    changed = mine.ended.emplace(session, mark).second || changed;
  }
  for (const auto& [session, hold] : source.holds) {
    if (!verdicts.contains(session) || mine.ended.contains(session)) continue;
    changed = mine.holds.emplace(session, hold).second || changed;
  }
  return changed;
}

bool share_removed(const repo::Ledger& source, const Segments& there, repo::Ledger& mine) {
  bool changed = false;
  for (const auto& [log, ranges] : source.removed) {
    auto& own = mine.removed[log];
    auto all = own;
    auto present = there.find(log);
    for (const auto& range : ranges) {
      add_absent(range, present == there.end() ? std::set<std::uint64_t>{} : present->second, all);
    }
    all = repo::join_ranges(std::move(all));
    changed = changed || all != own;
    own = std::move(all);
    if (own.empty()) mine.removed.erase(log);
  }
  return changed;
}

}  // namespace

Result<std::set<std::string>> ended_verdicts(const repo::Core& source, const repo::Core* copy) {
  std::set<std::string> out;
  for (const auto* core : {&source, copy}) {
    if (core == nullptr) continue;
    auto care = LB_TRY(repo::read_ledger_if_whole(*core));
    for (const auto& [session, mark] : care.ledger.ended) out.insert(repo::verdict_key(session));
  }
  return out;
}

Status share_care(const repo::Core& source, const repo::Core& copy) {
  auto care = LB_TRY(repo::read_ledger_if_whole(source));
  const auto& ledger = care.ledger;
  if (ledger.ended.empty() && ledger.holds.empty() && ledger.removed.empty()) return {};
  std::set<std::string> verdicts;
  for (const auto& object : LB_TRY(copy.blobs.list("e/"))) verdicts.insert(object.key.substr(2));
  auto segments = LB_TRY(segments_in(copy.blobs));
  auto changed = repo::change_ledger(copy, [&](repo::Ledger& mine) -> Result<bool> {
    bool ended = share_ended(ledger, verdicts, mine);
    return share_removed(ledger, segments, mine) || ended;
  });
  return changed.status();
}

}  // namespace lb::copy
