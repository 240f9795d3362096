// What a runbook page needs beside the style sheet of reports: steps with boxes to tick, room to
// write, on paper too. Private to this folder.
#pragma once

#include <string_view>

namespace lb::report {

std::string_view runbook_style_sheet();

}  // namespace lb::report
