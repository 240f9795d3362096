#include "storage/collect/needed_keys.h"

#include <algorithm>
#include <set>

#include "storage/collect/collector.h"
#include "storage/repo/format.h"
#include "storage/repo/log_store.h"

namespace lb::repo {

namespace {

class Needed {
 public:
  Needed(const std::vector<BlobInfo>& listing, const std::unordered_set<std::string>& packs,
         const Ledger& ledger)
      : packs_(packs), ledger_(ledger) {
    for (const auto& pack : packs) sessions_.insert(session_of_pack(pack));
    for (const auto& object : listing) {
      if (object.key.starts_with(ledger_prefix)) newest_ledger_ = object.key;  // sorted
      auto log = parse_log_key(object.key);
      if (log && log->kind == LogKey::Kind::segment) segments_.insert(object.key);
    }
  }

  bool operator()(const std::string& key) const {
    auto kind = std::string_view(key).substr(0, 2);
    if (kind == "p/") return packs_.contains(key);
    if (kind == "e/") return !ledger_.ended.contains(key.substr(2));
    if (kind == "x/") return is_merged_index(key) || sessions_.contains(key.substr(2, 26));
    if (kind == "w/") return log(key);
    if (kind == "l/") return key == newest_ledger_;
    return key == repo_key || kind == "k/" || kind == "r/";
  }

 private:
  bool log(const std::string& key) const {
    auto log = parse_log_key(key);
    if (!log) return false;
    if (log->kind == LogKey::Kind::history) return true;
    if (ledger_.removed_log(log->name.store, log->name.segment)) return false;
    // What a whole segment holds, its tails need not.
    return log->kind == LogKey::Kind::segment ||
           !segments_.contains(log_key(log->name.store, log->name.timeline, log->name.segment));
  }

  const std::unordered_set<std::string>& packs_;
  const Ledger& ledger_;
  std::set<std::string> sessions_, segments_;
  std::string newest_ledger_;
};

}  // namespace

std::vector<std::string> needed_keys(const std::vector<BlobInfo>& listing,
                                     const std::unordered_set<std::string>& packs,
                                     const Ledger& ledger) {
  Needed needed(listing, packs, ledger);
  std::vector<std::string> out;
  for (const auto& object : listing) {
    if (needed(object.key)) out.push_back(object.key);
  }
  return out;
}

}  // namespace lb::repo
