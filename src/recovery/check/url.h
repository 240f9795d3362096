// Percent-encoding of what is put into a URL. Internal to this folder, pure.
#pragma once

#include <string>
#include <string_view>

namespace lb::check {

// Everything but letters, digits and -._~ becomes %XX.
std::string percent_encoded(std::string_view text);
// Only what may never stand in a URL (blanks, quotes, control and non-ASCII bytes): for values that
// are whole URLs already.
std::string url_safe(std::string_view text);
// For a value put into a path: also what would end the path or start an escape ('?', '#', '%').
std::string path_safe(std::string_view text);

}  // namespace lb::check
