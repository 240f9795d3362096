// Where sandboxes are laid out: a fresh folder below a root that others may pass but not list.
#pragma once

#include <string>

#include "foundation/sys/world.h"

namespace lb::restore {

// Sweeps what killed runs left below `root`, then makes root/name (0755: restored services run as
// another user; what is private lies in folders of its own below it).
Result<std::string> make_sandbox_folder(World& world, const std::string& root,
                                        const std::string& name);
// A folder that only `owner` may enter.
Status make_private_folder(World& world, const std::string& path, UserId owner);

}  // namespace lb::restore
