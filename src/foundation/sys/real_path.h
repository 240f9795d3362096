// real_path: where a path leads, without links, "." and "..".
#pragma once

#include <string>

#include "foundation/sys/files.h"

namespace lb {

// Of an absolute path; not_found when something of it is not there.
Result<std::string> real_path(Files& files, const std::string& path);

}  // namespace lb
