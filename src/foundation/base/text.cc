#include "foundation/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace lb {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::size_t start = 0;
  for (;;) {
    auto end = text.find(separator, start);
    out.emplace_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return out;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string_view trim(std::string_view text) {
  auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) return text;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

namespace {

// Length of the valid UTF-8 sequence at the start, 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if ((first & 0xF0) == 0xE0) {
    if (!tail(1) || !tail(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

template <typename T>
Result<T> parse_whole(std::string_view text, const char* what) {
  T value{};
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) {
    return Error(ErrorKind::invalid, cat("'", printable(text), "' is not ", what));
  }
  return value;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<std::int64_t> parse_int(std::string_view text) {
  return parse_whole<std::int64_t>(text, "a whole number");
}
Result<std::uint64_t> parse_uint(std::string_view text) {
  return parse_whole<std::uint64_t>(text, "a whole number, zero or more");
}
Result<double> parse_double(std::string_view text) {
  auto value = LB_TRY(parse_whole<double>(text, "a number"));
  if (!std::isfinite(value))
    return Error(ErrorKind::invalid, cat("'", text, "' is not a finite number"));
  return value;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    double factor;
  };
  static constexpr Unit units[] = {
      {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0},
      {"kB", 1e3},     {"MB", 1e6},        {"GB", 1e9},           {"TB", 1e12},
      {"B", 1.0}};
  double factor = 1;
  auto number = text;
  for (const auto& unit : units) {
    if (text.size() > unit.name.size() && text.ends_with(unit.name)) {
      factor = unit.factor;
      number = trim(text.substr(0, text.size() - unit.name.size()));
      break;
    }
  }
  // Whole numbers exactly: a double holds no more than 53 bits of them.
  auto whole = parse_uint(number);
  auto whole_factor = static_cast<std::uint64_t>(factor);
  if (whole.ok() && *whole <= 9'000'000'000'000'000'000 / whole_factor)
    return *whole * whole_factor;
  auto value = parse_double(number);
  if (!value.ok() || *value < 0 || *value * factor > 9e18) {
    return Error(ErrorKind::invalid, cat("'", printable(text), "' is not a size"))
        .with_hint("write sizes such as 100MiB, 1.5GB or 4096");
  }
  return static_cast<std::uint64_t>(std::llround(*value * factor));
}

std::string human_size(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // Compared as it will be rounded: 1023.99 KiB is written 1.0 MiB.
  while (value >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? cat(bytes, " B") : cat(fixed(value, 1), " ", units[unit]);
}

std::string human_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string fixed(double value, int decimals) {
  char text[400];  // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string printable(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  while (!bytes.empty()) {
    auto length = utf8_length(bytes);
    auto first = static_cast<unsigned char>(bytes[0]);
    // U+0080 to U+009F are control characters too, in two bytes.
    bool high_control = length == 2 && first == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0;
    bool escaped = length == 0 || first < 0x20 || first == 0x7f || high_control;
    auto piece = bytes.substr(0, std::max<std::size_t>(length, 1));
    bytes.remove_prefix(piece.size());
    if (!escaped) out += piece;
    if (!escaped) continue;
    for (char c : piece) {
      auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        std::size_t above = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
        diagonal = above;
      }
    }
    return row[b.size()];
  };
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    auto d = distance(word, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace lb
