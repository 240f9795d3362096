// Damage of a live tree: what of a recovery point is missing there or has changed, and what came.
// It only reads, follows no symbolic link, and judges nothing: files of a live tree change. Memory
// does not grow with the tree. Used by `diff POINT live` and the step assess.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "foundation/sys/world.h"
#include "storage/repo/repository.h"

namespace lb::files {

struct TreeDifference {
  enum class Kind {
    missing,     // of the point, not there
    changed,     // content, or another kind of file
    extra,       // there, not in the point
    attributes,  // the same content: mode, owner or time differ
    unseen,      // it could not be looked at: nothing is known of it
  };
  Kind kind = Kind::missing;
  std::string path;  // below the root, which is empty
  std::uint64_t recorded_bytes = 0, bytes = 0;
  std::string why;  // of unseen, and of a root that is gone
};

// Entries of any kind count, folders too.
struct TreeDamage {
  std::uint64_t missing = 0, changed = 0, extra = 0, attributes = 0, unseen = 0;
  std::uint64_t missing_bytes = 0, changed_bytes = 0, extra_bytes = 0;
  std::uint64_t equal = 0;     // entries that are as they were
  std::uint64_t compared = 0;  // files that were read to see it
  bool no_root = false;        // the folder itself is not there
};

using TreeDifferenceSink = std::function<Status(const TreeDifference&)>;

// In the order of the walk. Content is read where size, times or the inode are not as recorded.
// What the point has no say about (include:, exclude:, unreadable when it was taken, other file
// systems, sockets) is passed over. A folder that is not there: all is missing.
Result<TreeDamage> assess_tree(World& world, repo::SnapshotReader& snapshot,
                               const std::string& folder, const TreeDifferenceSink& sink,
                               std::stop_token stop);

}  // namespace lb::files
