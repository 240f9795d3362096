// probe_store: whether a store keeps the promises a repository is built on, shown by its behaviour
// and not by its name: some services answer "created" and overwrite. Run before a repository is
// made, and by doctor. Leaves nothing behind.
#pragma once

#include "foundation/sys/clock.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"

namespace lb {

struct StoreTimes {
  Micros put{0}, get_range{0}, list{0};
};

// unsupported, with the reason, when an object can be overwritten or a part cannot be read;
// otherwise the store's own errors.
Result<StoreTimes> probe_store(BlobStore& blobs, const Clock& clock, Random& random);

}  // namespace lb
