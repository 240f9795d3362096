// Reading what may be damaged here and whole in a copy. The bytes of an object are the same
// wherever it lies, so whoever finds it missing, short or not authentic asks the copies of the
// store (BlobStore::copy) for the same key.
#pragma once

#include <string>

#include "storage/blob/blob_store.h"

namespace lb::repo {

// False when another place would answer no better: the work was stopped, or this machine is full.
inline bool may_be_elsewhere(const Error& error) {
  return error.kind() != ErrorKind::cancelled && error.kind() != ErrorKind::exhausted;
}

// `read` gets and checks the object from the store it is given. The first error is returned when no
// copy does better.
template <typename Read>
auto read_healing(BlobStore& blobs, const std::string& key, const Read& read)
    -> decltype(read(blobs)) {
  auto own = read(blobs);
  if (own.ok() || !may_be_elsewhere(own.error())) return own;
  for (std::size_t number = 0; auto* copy = blobs.copy(number); ++number) {
    auto other = read(*copy);
    if (!other.ok()) continue;
    blobs.healed(key, number);
    return other;
  }
  return own;
}

}  // namespace lb::repo
