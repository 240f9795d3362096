// What the ledgers of a repository and of its copy say to one another. Each place runs its own
// retention and has its own ledger; but what the repository removed before the copy could get it,
// is absent from the copy on purpose too, and the copy's ledger must say so, else it would be
// taken for lost.
#pragma once

#include <set>
#include <string>

#include "storage/repo/core.h"

namespace lb::copy {

// Keys of verdicts that say nothing any more, in one of the two: not to be copied. `copy` may be
// null, when there is none yet.
Result<std::set<std::string>> ended_verdicts(const repo::Core& source, const repo::Core* copy);

// Brings into the copy's ledger: sessions that ended and whose verdict is not there; log that was
// removed and is not there; holds on points that are there. Nothing that the copy has is given up.
Status share_care(const repo::Core& source, const repo::Core& copy);

}  // namespace lb::copy
