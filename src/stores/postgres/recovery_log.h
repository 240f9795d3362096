// The last lines of a restored server's log, fit for an error message: short, one line, no secrets.
#pragma once

#include <string>
#include <string_view>

#include "foundation/sys/files.h"

namespace lb::pg {

std::string log_tail(Files& files, const std::string& path);  // empty when there is none
// Values after "password=" and between "://user:" and "@" are replaced.
std::string without_secrets(std::string_view text);

}  // namespace lb::pg
