// The locks of a place whose objects cannot be deleted for a time: they are kept from ending under
// what is needed. A lock is extended to its full time when half of it is left, so that one that is
// looked after in time never has less. Used by prune and copy sync.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "storage/blob/locks.h"

namespace lb::cli {

struct KeptLocks {
  std::string path, place;  // of the file that remembers them; of the store
  Micros period{0};
  LockEnds known;
};

KeptLocks open_locks(const Shell& shell, const std::string& repository_id, const std::string& place,
                     Micros period);
// Also remembers what is known by now, whatever came out.
Result<LockReport> keep_locked(const Shell& shell, KeptLocks& locks, BlobStore& blobs,
                               const std::vector<std::string>& keys);

}  // namespace lb::cli
