// Columns a terminal uses for UTF-8 text: continuation bytes take none. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace lb::cli {

inline std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace lb::cli
