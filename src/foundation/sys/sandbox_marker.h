// The marker in a sandbox folder: which process owns it, so that a later run can tell what a killed
// one left behind. Private to foundation/sys.
#pragma once

#include <string>
#include <string_view>

#include "foundation/sys/files.h"

namespace lb {

constexpr std::string_view marker_name = ".lifeboat-sandbox";

// Folders on their way to a marker are called this until they have one.
constexpr std::string_view claim_prefix = ".claim-";

// A process, also told from later ones with the same number, other boots and other containers.
struct OwnerId {
  std::int64_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since boot
  std::string boot;
  std::string pids;  // the pid namespace
};

Result<OwnerId> this_owner(Files& files);
// False when in doubt: an owner in another pid namespace cannot be judged from here.
bool owner_gone(Files& files, const OwnerId& owner);

Status write_marker(Files& files, const std::string& folder, const OwnerId& owner);
Result<OwnerId> read_marker(Files& files, const std::string& folder);

}  // namespace lb
