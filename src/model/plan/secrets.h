// Secrets do not belong into a plan. These two functions find a literal that looks like one, and
// hide it in a line that is about to be shown. Pure; they err on the side of refusing.
#pragma once

#include <string>
#include <string_view>

namespace lb::plan {

// `key` is the name the value stands under ("password", "api_key"); it may be empty.
bool looks_like_secret(std::string_view key, std::string_view value);
// The line with passwords in addresses and the values of password-like keys replaced by "****".
std::string hide_secrets(std::string_view line);

}  // namespace lb::plan
