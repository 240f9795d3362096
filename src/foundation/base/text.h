// Small text helpers: concatenation, splitting, strict number parsing, human sizes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "foundation/base/result.h"

namespace lb {

namespace text_detail {
template <typename T>
void append(std::string& out, const T& piece) {
  if constexpr (std::is_same_v<T, bool>) {
    out += piece ? "true" : "false";
  } else if constexpr (std::is_same_v<T, char>) {
    out += piece;
  } else if constexpr (std::is_arithmetic_v<T>) {
    out += std::to_string(piece);
  } else {
    out += std::string_view(piece);
  }
}
}  // namespace text_detail

// cat("segment ", 7, " of ", name): one string from text and numbers.
template <typename... Pieces>
std::string cat(const Pieces&... pieces) {
  std::string out;
  (text_detail::append(out, pieces), ...);
  return out;
}

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  // the result points into `text`
std::string lower(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
bool valid_utf8(std::string_view text);

// The whole text must be the number; ErrorKind::invalid otherwise.
Result<std::int64_t> parse_int(std::string_view text);
Result<std::uint64_t> parse_uint(std::string_view text);
Result<double> parse_double(std::string_view text);

// "100MiB", "1.5GB", "4096": bytes. KiB/MiB/GiB/TiB are powers of 1024, kB/MB/GB/TB of 1000.
Result<std::uint64_t> parse_size(std::string_view text);
std::string human_size(std::uint64_t bytes);    // "200.1 MiB"
std::string human_count(std::uint64_t count);   // "1,234,567"
std::string fixed(double value, int decimals);  // "3.14"
std::string printable(std::string_view bytes);  // control and non-UTF-8 bytes as \xNN

// The nearest of `candidates` within a small edit distance, or empty: for "did you mean".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace lb
