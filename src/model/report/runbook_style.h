// What a runbook page needs beside the style sheet of reports: steps with boxes to tick, room to
// write, on paper too. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "model/report/markup.h"

namespace lb::report {

// The <head> of a page about runbooks.
void write_page_head(Markup& out, const std::string& title, const std::string& generator);

}  // namespace lb::report
