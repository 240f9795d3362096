// Columns a terminal uses for UTF-8 text (continuation bytes take none), and text in as many. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace lb::cli {

inline constexpr std::size_t usual_columns = 80;  // of a terminal that does not say

inline std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// As much of it as fits, and a sign where it was cut.
inline std::string cut_to(std::string line, std::size_t columns) {
  if (width_of(line) <= columns) return line;
  while (!line.empty() && width_of(line) >= columns) {
    bool inner = true;  // a sign of several bytes goes whole
    while (inner && !line.empty()) {
      inner = (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80;
      line.pop_back();
    }
  }
  return line + "…";
}

// Broken between words, the lines that follow indented; a word that is longer than a line stays
// whole, so that it can be copied. No columns: as it is.
inline std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out, line;
  for (std::size_t at = 0; at < text.size();) {
    const auto word = std::min(text.find_first_not_of(' ', at), text.size());
    const auto end = std::min(text.find(' ', word), text.size());
    auto piece = text.substr(at, end - at);
    const bool fits = columns == 0 || at == 0 || width_of(line) + width_of(piece) <= columns;
    if (!fits) {
      out += line + "\n";
      line = std::string(indent, ' ');
      piece = text.substr(word, end - word);
    }
    line += piece;
    at = end;
  }
  return out + line;
}

}  // namespace lb::cli
