// Care for the index objects: many small ones become few, so that a host that begins anew reads
// them with few requests. Called by whoever maintains the repository (prune); needs the right to
// remove. Backups may run meanwhile.
#pragma once

#include <cstdint>
#include <stop_token>

#include "storage/repo/core.h"

namespace lb::repo {

struct IndexMerge {
  std::uint64_t objects = 0;  // that were replaced and removed
  std::uint64_t written = 0;  // merged ones
  std::uint64_t entries = 0;  // in them
};

// Entries of packs that are gone are left out. What a merge that was interrupted left behind is
// removed. Damaged objects stay where they are.
Result<IndexMerge> merge_indexes(const Core& core, const std::stop_token& stop);

}  // namespace lb::repo
