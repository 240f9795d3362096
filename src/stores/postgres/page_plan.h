// PagePlan: how one file of a relation gets into the next backup: which of its pages stay where the
// parent's row has them and which are read, so that a changed page costs a page and yet neither
// the pieces of a file nor what is no longer needed of old chunks add up without bound. Pure.
// Private to stores/postgres.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/repo/types.h"

namespace lb::pg {

struct PageStep {
  bool read = false;                   // from the cluster; else reused from the parent's row
  std::uint32_t first = 0, count = 0;  // blocks of this file
};

// `size`: bytes of the file now. `changed`: sorted blocks of this file that may differ from the
// parent's row. The steps cover the file from its first page to its end, which may lie in a page.
std::vector<PageStep> plan_pages(const repo::Row& parent, std::uint64_t size,
                                 const std::vector<std::uint32_t>& changed);

}  // namespace lb::pg
