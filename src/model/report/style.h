// The style sheet of the HTML report: light and dark by the reader's preference, always light on
// paper, colours only as tokens with AA contrast in both. Private to this folder.
#pragma once

#include <string_view>

namespace lb::report {

std::string_view style_sheet();

}  // namespace lb::report
