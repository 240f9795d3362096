// Locks of objects that nobody can delete for a time: what is known of them, what keeps them from
// ending under what is needed, and deletion that leaves alone what is locked. What the store said
// is kept, so that each object is asked once and not at every run; it may be forgotten at any time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/sys/files.h"
#include "storage/blob/blob_store.h"

namespace lb {

// Removes an object, or says until when a lock keeps it. Other refusals are errors.
Result<std::optional<Timestamp>> remove_or_leave(BlobStore& blobs, const std::string& key);

// Key -> the end of its lock as the store said it last, the epoch when there was none. A lock never
// ends earlier than that; it may have been extended since.
using LockEnds = std::map<std::string, Timestamp>;

// Asks the store for the locks of keys that are not known yet, several at once. Keys that are gone
// stay unknown.
Status learn_locks(BlobStore& blobs, const std::vector<std::string>& keys, LockEnds& known,
                   std::stop_token stop);

struct LockWishes {
  Micros period{0};  // a lock is extended to this long from now
  Micros margin{0};  // when less than this is left of it
  Timestamp now{};
};
struct LockReport {
  std::uint64_t objects = 0, extended = 0;
  std::optional<Timestamp> first_end;  // of all locks afterwards
};
// Those of `keys` whose locks end within the margin. Pure.
std::vector<std::string> locks_due(const std::vector<std::string>& keys, const LockEnds& known,
                                   const LockWishes& wishes);
// Keeps every lock of `keys` from ending. Interrupted, `known` has what was done.
Result<LockReport> keep_locked(BlobStore& blobs, const std::vector<std::string>& keys,
                               const LockWishes& wishes, LockEnds& known, std::stop_token stop);

// A file of them; `place` names the store, so that one never speaks for another. Locks that ended
// are left out. Nothing comes from a file that is missing, damaged, or of another place.
Status save_lock_ends(Files& files, const std::string& path, const std::string& place,
                      const LockEnds& known, Timestamp now);
LockEnds load_lock_ends(Files& files, const std::string& path, const std::string& place);

}  // namespace lb
