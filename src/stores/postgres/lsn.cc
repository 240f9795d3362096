#include "stores/postgres/lsn.h"

#include <array>
#include <charconv>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"

namespace lb::pg {

namespace {

std::string hex(std::uint64_t value, std::size_t width) {
  std::array<char, 16> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  std::string out(digits.data(), end);
  for (auto& digit : out) digit = static_cast<char>(digit >= 'a' ? digit - 'a' + 'A' : digit);
  return std::string(out.size() < width ? width - out.size() : 0, '0') + out;
}

bool read_half(std::string_view text, std::uint32_t& value) {
  if (text.empty() || text.size() > 8) return false;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return failure == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<Lsn> parse_lsn(std::string_view text) {
  auto slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  if (slash == std::string_view::npos || !read_half(text.substr(0, slash), high) ||
      !read_half(text.substr(slash + 1), low)) {
    return Error(ErrorKind::invalid, cat("not a log position: '", printable(text), "'"))
        .with_hint("positions look like 0/16B3748");
  }
  return (Lsn{high} << 32) | low;
}

std::string format_lsn(Lsn lsn) { return cat(hex(lsn >> 32, 1), "/", hex(lsn & 0xffffffff, 1)); }

std::string segment_name(std::uint32_t timeline, std::uint64_t segment,
                         std::uint64_t segment_bytes) {
  LB_ASSERT(segment_bytes > 0);
  auto per_file_id = (std::uint64_t{1} << 32) / segment_bytes;
  return hex(timeline, 8) + hex(segment / per_file_id, 8) + hex(segment % per_file_id, 8);
}

}  // namespace lb::pg
