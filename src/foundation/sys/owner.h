// OwnerId: which process something belongs to, kept in a small text file, so that a later run can
// tell what a killed one left behind from what is in use.
#pragma once

#include <string>
#include <string_view>

#include "foundation/sys/files.h"

namespace lb {

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

// The file's first line is `title`; what has another is corrupt. Further text may follow.
std::string owner_text(std::string_view title, const OwnerId& owner);
Result<OwnerId> read_owner(Files& files, const std::string& path, std::string_view title);

}  // namespace lb
