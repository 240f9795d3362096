#include "storage/state/entry_id.h"

#include <algorithm>
#include <optional>

namespace lb::state {

// Without the letters that are read as digits; in the order of their bytes, so that ids sort as
// text.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t id_length = 26;
constexpr std::size_t time_bytes = 6;

static std::string in_base32(const std::array<std::uint8_t, 16>& bytes) {
  std::string out;
  unsigned held = 0, bits = 2;  // 130 bits of text for 128 bits: two leading zeros
  for (const auto byte : bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += alphabet[(held >> bits) & 31];
    }
    held &= (1u << bits) - 1;
  }
  return out;
}

std::string EntryIds::next(Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::array<std::uint8_t, 16> fresh{};
  random_.fill(MutableBytes(fresh).subspan(time_bytes));
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_micros(now) / 1000));
  for (std::size_t i = 0; i < time_bytes; ++i) {
    fresh[i] = static_cast<std::uint8_t>(ms >> (8 * (time_bytes - 1 - i)));
  }
  // The same millisecond, or a clock that went back: the next number keeps the order of writing.
  if (std::equal(fresh.begin(), fresh.begin() + time_bytes, last_.begin()) || fresh < last_) {
    fresh = last_;
    for (auto at = fresh.rbegin(); at != fresh.rend() && ++*at == 0; ++at) {
    }
  }
  last_ = fresh;
  return in_base32(fresh);
}

std::optional<Timestamp> time_of_id(const std::string& id) {
  if (id.size() != id_length) return std::nullopt;
  std::int64_t ms = 0;
  for (const char c : id.substr(0, 10)) {  // ten characters: 2 zero bits and the 48 of the time
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    ms = ms * 32 + static_cast<std::int64_t>(digit);
  }
  return from_micros(ms * 1000);
}

}  // namespace lb::state
