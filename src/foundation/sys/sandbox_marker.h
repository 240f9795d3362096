// The marker in a sandbox folder: which process owns it, so that a later run can tell what a killed
// one left behind. Private to foundation/sys.
#pragma once

#include <string>
#include <string_view>

#include "foundation/sys/owner.h"

namespace lb {

constexpr std::string_view marker_name = ".lifeboat-sandbox";

// Folders on their way to a marker are called this until they have one.
constexpr std::string_view claim_prefix = ".claim-";

Status write_marker(Files& files, const std::string& folder, const OwnerId& owner);
Result<OwnerId> read_marker(Files& files, const std::string& folder);

}  // namespace lb
