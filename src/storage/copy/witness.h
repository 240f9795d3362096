// Witness: what somebody with the repository's key can say of an object. Copying needs none; with
// one, damage inside an object is seen before it is copied, and a snapshot is held against its
// packs. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "storage/blob/blob_store.h"

namespace lb::copy {

class Witness {
 public:
  virtual ~Witness() = default;
  // corrupt unless these are the bytes that were put under the key.
  virtual Status prove(const std::string& key, ByteView object) = 0;
  // What a verdict needs, with sizes: the packs of a snapshot or, for those that were given up, the
  // packs that stand for them and the verdict that says so. Empty for that of an aborted session.
  virtual Result<std::vector<BlobInfo>> needs_of(const std::string& verdict_key,
                                                 ByteView object) = 0;
};

}  // namespace lb::copy
