// Text of others inside Markdown. Private to this folder.
#pragma once

#include <string>

namespace lb::report {

// No markup of its own, no line end, no table separator.
std::string markdown_text(const std::string& text);
// As a block of code: a fence that its own text cannot close, each line behind `indent`.
std::string markdown_code(const std::string& text, const std::string& indent);

}  // namespace lb::report
