// Reads what was recorded of a cluster with a point (snapshot_details.h), table by table: there may
// be a hundred thousand, and as a document they would take a hundred times what is needed of them.
#pragma once

#include <optional>

#include "foundation/codec/json_items.h"
#include "storage/repo/repository.h"

namespace lb::pg {

// Each table goes to `each` ("around": what its database said before its tables); the result is the
// document without them, and nothing when the point has none. invalid: it is no fingerprint, and
// what `each` was given must be dropped.
Result<std::optional<Json>> read_fingerprint(repo::SnapshotReader& snapshot, const EachItem& each);
// The same where tables matter to nobody.
Result<std::optional<Json>> read_fingerprint(repo::SnapshotReader& snapshot);

}  // namespace lb::pg
