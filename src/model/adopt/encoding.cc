#include "model/adopt/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

// What Windows-1252 shows for the bytes 80 to 9F; 0 where it has nothing.
constexpr std::array<std::uint16_t, 32> windows_1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 1;
};

// The character at the start of valid UTF-8.
Character decode(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  std::uint32_t code = byte(0) & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (byte(i) & 0x3FU);
  return {code, size};
}

// The byte that Windows-1252 shows as this character.
std::optional<char> as_byte(std::uint32_t code) {
  if (code >= 0xA0 && code <= 0xFF) return static_cast<char>(code);
  if (code >= 0x80 && code < 0xA0) return static_cast<char>(code);  // where it has no sign
  auto found = std::find(windows_1252.begin(), windows_1252.end(), code);
  if (code == 0 || found == windows_1252.end()) return {};
  return static_cast<char>(0x80 + (found - windows_1252.begin()));
}

// Length of what stands at the start and is one character stored twice; 0 if it is none. `mended`
// becomes that character.
std::size_t stored_twice(std::string_view text, std::string& mended) {
  auto first = as_byte(decode(text).code);
  if (!first) return 0;
  auto lead = static_cast<unsigned char>(*first);
  std::size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  std::string bytes;
  std::size_t at = 0;
  while (bytes.size() < wanted && at < text.size()) {
    auto character = decode(text.substr(at));
    auto byte = as_byte(character.code);
    if (!byte) return 0;
    bytes += *byte;
    at += character.size;
  }
  if (bytes.size() < wanted || !valid_utf8(bytes)) return 0;
  mended = bytes;
  return at;
}

// Bytes that are no UTF-8 become U+FFFD, one for each.
std::string valid_line(std::string_view line, std::string& before, std::string& after) {
  std::string out;
  while (!line.empty()) {
    std::size_t size = 1;
    while (size <= 4 && size <= line.size() && !valid_utf8(line.substr(0, size))) ++size;
    if (size <= 4 && size <= line.size()) {
      out += line.substr(0, size);
    } else {
      size = 1;
      before += printable(line.substr(0, 1));
      after += "\xEF\xBF\xBD";
      out += "\xEF\xBF\xBD";
    }
    line.remove_prefix(size);
  }
  return out;
}

std::string mend_line(std::string_view line, std::string& before, std::string& after) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    std::string mended;
    auto size = stored_twice(line.substr(at), mended);
    if (size > 0) {
      before += line.substr(at, size);
      after += mended;
      out += mended;
    } else {
      size = decode(line.substr(at)).size;
      out += line.substr(at, size);
    }
    at += size;
  }
  return out;
}

}  // namespace

MendedText mend_encoding(std::string_view bytes) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
  MendedText out;
  std::size_t number = 0;
  for (const auto& line : split(bytes, '\n')) {
    if (number++ > 0) out.text += '\n';
    std::string before, after;
    auto valid = valid_line(line, before, after);
    auto mended = before.empty() ? mend_line(valid, before, after) : valid;
    if (!before.empty()) out.mends.push_back({number, before, after});
    out.text += mended;
  }
  return out;
}

}  // namespace lb::adopt
