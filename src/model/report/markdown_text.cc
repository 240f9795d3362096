#include "model/report/markdown_text.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::report {

std::string markdown_text(const std::string& text) {
  std::string out;
  for (const char c : printable(replace_all(text, "\n", " ⏎ "))) {
    if (std::string_view("\\`*_[]<>|#~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_code(const std::string& text, const std::string& indent) {
  std::size_t longest = 2, here = 0;
  for (char c : text) {
    here = c == '`' ? here + 1 : 0;
    longest = std::max(longest, here);
  }
  const std::string fence(longest + 1, '`');
  std::string out = cat(indent, fence, "\n");
  for (const auto& line : split(text, '\n'))
    out += cat(indent, printable(replace_all(line, "\t", "    ")), "\n");
  return cat(out, indent, fence, "\n");
}

}  // namespace lb::report
