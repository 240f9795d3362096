// Shows a MountTree as a read-only file system through FUSE, until it is
// stopped or unmounted. What cannot be read of the repository is an
// input/output error of that file alone, named once in the log; wrong bytes are
// never given. Needs /dev/fuse, and fusermount3 unless run by root.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "foundation/base/log.h"
#include "foundation/sys/world.h"
#include "recovery/mount/content_reader.h"
#include "recovery/mount/mount_tree.h"

namespace lb::mount {

struct ServeOptions {
  std::string folder;        // exists; what lies in it is hidden meanwhile
  bool allow_other = false;  // other users too, as far as modes and ACLs let them
  ReadLimits limits;
};

// `ready` is called when the tree can be seen. A process that is killed leaves
// no mount behind where fusermount3 is installed.
Status serve(World& world, Log& log, MountTree& tree, const ServeOptions& options,
             std::stop_token stop, const std::function<void()>& ready);

}  // namespace lb::mount
