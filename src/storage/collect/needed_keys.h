// Which objects of a repository what it keeps still needs: the keys whose locks must not end. Pure.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "storage/blob/blob_store.h"
#include "storage/repo/ledger.h"

namespace lb::repo {

// Of a whole listing: the repository and its key slots, verdicts that count and the packs they
// need, the indexes of such packs, log that was not removed, records, the newest ledger. Not: what
// forgotten points and unfinished sessions left, tails whose segment is whole, traces of care.
std::vector<std::string> needed_keys(const std::vector<BlobInfo>& listing,
                                     const std::unordered_set<std::string>& packs,
                                     const Ledger& ledger);

}  // namespace lb::repo
