// compare_copy: holds every byte of a copy against the source. No key is needed; with a witness it
// is also said which of two that differ is the damaged one.
#pragma once

#include "storage/copy/sync.h"

namespace lb::copy {

struct CompareReport {
  std::uint64_t objects = 0, bytes = 0;  // compared
  std::uint64_t missing = 0;             // of the source's objects, not in the copy yet
  std::vector<Trouble> different;        // other bytes, another size, or not to be read
  std::vector<std::string> only_in_copy;
};

Result<CompareReport> compare_copy(BlobStore& source, BlobStore& copy, const SyncOptions& options,
                                   std::stop_token stop, const CopyProgress& progress);

}  // namespace lb::copy
