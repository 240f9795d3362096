// The marker in a sandbox folder: which process owns it, so that a later run can tell what a killed
// one left behind. Private to foundation/sys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/sys/owner.h"

namespace lb {

constexpr std::string_view marker_name = ".lifeboat-sandbox";

// Folders on their way to a marker are called this until they have one:
// ".claim-<pid>-<started>-<pid namespace>-<name>".
constexpr std::string_view claim_prefix = ".claim-";
std::string claim_name(const OwnerId& owner, const std::string& name);
// Whose claim a folder of that name is; not_found when the name does not say.
Result<OwnerId> claim_owner(Files& files, std::string_view folder_name);

// The digits of "pid:[4026531836]".
std::string namespace_number(const std::string& pids);
// Of the owner that the first parts of a name tell: number, start, namespace. not_found when they
// tell none, or one of another pid namespace, which cannot be judged from here.
Result<OwnerId> owner_of_parts(Files& files, const std::vector<std::string>& parts);

Status write_marker(Files& files, const std::string& folder, const OwnerId& owner);
Result<OwnerId> read_marker(Files& files, const std::string& folder);

}  // namespace lb
