#include "app/cli/locks.h"

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::cli {

KeptLocks open_locks(const Shell& shell, const std::string& repository_id, const std::string& place,
                     Micros period) {
  KeptLocks out{{}, place, period, {}};
  auto folder = path_join(cache_folder(shell), repository_id);
  out.path = path_join(folder, cat("locks-", to_hex(sha256(view_of(place))).substr(0, 16)));
  out.known = load_lock_ends(shell.world.files, out.path, place);
  return out;
}

Result<LockReport> keep_locked(const Shell& shell, KeptLocks& locks, BlobStore& blobs,
                               const std::vector<std::string>& keys) {
  auto now = shell.world.clock.now();
  auto kept =
      lb::keep_locked(blobs, keys, {locks.period, locks.period / 2, now}, locks.known, shell.stop);
  auto saved = save_lock_ends(shell.world.files, locks.path, locks.place, locks.known, now);
  // Forgotten, every object is asked again: slower, and nothing else.
  if (!saved.ok()) shell.console.warn(cat("what is known of locks: ", saved.error().text()));
  return std::move(kept).context("keep what points need locked");
}

}  // namespace lb::cli
