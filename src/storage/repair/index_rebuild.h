// Indexes from packs: the footer of a pack holds what an index says of it.
#pragma once

#include <set>
#include <stop_token>

#include "storage/repair/suspects.h"

namespace lb::repair {

// Packs that snapshots need and no readable index lists.
Result<std::vector<std::string>> unlisted_packs(const repo::Core& core, const Verdicts& verdicts);

// Puts indexes of these packs, durably. Returns how many packs could be listed: one that is damaged
// or gone is left out.
Result<std::uint64_t> index_packs(const repo::Core& core, const Verdicts& verdicts,
                                  const std::vector<std::string>& packs, std::stop_token stop);

}  // namespace lb::repair
