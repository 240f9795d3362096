// Unaligned loads for WAL bytes, and a cursor that remembers running past the end. PostgreSQL
// writes the log in the byte order of its host; logs of big-endian servers carry an unknown page
// magic and are refused there. Bounds: the caller's duty.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "foundation/base/bytes.h"

namespace lb::pg {

static_assert(std::endian::native == std::endian::little,
              "the log is read in the host's byte order");

template <typename T>
T load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

constexpr std::uint64_t align8(std::uint64_t value) { return (value + 7) & ~std::uint64_t{7}; }

// Reads numbers one after another. Past the end every read yields zero and ok() turns false for
// good, so that a decoder checks once instead of at every field: it runs for each record of the
// log.
class WalCursor {
 public:
  explicit WalCursor(ByteView bytes) : rest_(bytes) {}
  template <typename T>
  T take() {
    if (rest_.size() < sizeof(T)) return fail(), T{};
    T value = load<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  ByteView take_bytes(std::uint64_t count) {
    if (rest_.size() < count) return fail(), ByteView{};
    auto out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }
  std::size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace lb::pg
