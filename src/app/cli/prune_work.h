// The work of prune after its plan was shown: points are forgotten, packs freed and rewritten.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/cli/verbs.h"
#include "recovery/retain/retain.h"
#include "storage/blob/locks.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/repo/merge_indexes.h"
#include "storage/state/open_pages.h"

namespace lb::cli {

struct PruneOptions {
  repo::CollectOptions collect;
  repo::RepackOptions repack;
};

// What is to go, before anything goes.
struct Doomed {
  retain::RetentionPlan decided;
  std::vector<std::string> points;
  std::map<std::string, std::vector<repo::LogRange>> log;
  std::uint64_t segments() const {
    std::uint64_t out = 0;
    for (const auto& [log_id, ranges] : log) {
      for (const auto& range : ranges) out += range.end - range.first;
    }
    return out;
  }
};

struct Removed {
  std::size_t points = 0;
  repo::LogRemoval log;
  repo::CollectReport collected;
  repo::RepackReport repacked;
  repo::IndexMerge merged;
  state::PagePrune pages;
  LockReport locks;  // of what is still needed, in a repository that is immutable
};

// On record before it happens, and gone when this returns; interrupted, the next run goes on.
Result<Removed> remove_doomed(const Shell& shell, const Session& session, const Doomed& doomed,
                              const PruneOptions& options, state::Act& act);

Json json_of(const Removed& removed);
std::string text_of(const Removed& removed, Micros took);

}  // namespace lb::cli
