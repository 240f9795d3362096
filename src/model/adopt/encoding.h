// Text whose bytes went through wrong hands: bytes that are no UTF-8, and UTF-8 that was once read
// as Windows-1252 and stored again ("âœ…" for a check mark). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::adopt {

struct Mend {
  std::size_t line = 0;       // from 1
  std::string before, after;  // printable; before holds \xNN for bytes that are no text
};

struct MendedText {
  std::string text;  // valid UTF-8, without a byte order mark
  std::vector<Mend> mends;
};

MendedText mend_encoding(std::string_view bytes);

}  // namespace lb::adopt
