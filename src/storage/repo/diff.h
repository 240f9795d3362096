// The difference of two snapshots: a merge-join of their tables that reads no block both share.
#pragma once

#include <functional>
#include <stop_token>

#include "storage/repo/repository.h"

namespace lb::repo {

// Receives what differs, in key order. `before` is null for a row that came, `after` for one that
// went; both point to rows with one key whose attributes, size or content differ.
using DiffSink = std::function<Status(const Row* before, const Row* after)>;

// Content is compared by chunk ids: nothing but the tables is read. Both must come from the same
// opened repository.
Status diff_snapshots(SnapshotReader& before, SnapshotReader& after, const DiffSink& sink,
                      const std::stop_token& stop);

// True when the rows have the same content (holes, lengths and chunk ids).
bool equal_content(const Row& a, const Row& b);

}  // namespace lb::repo
