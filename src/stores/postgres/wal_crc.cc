#include "stores/postgres/wal_crc.h"

#include <array>

#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// Slicing by eight: row k is the effect of a byte that lies k bytes before the end of a word.
constexpr Table make_table() {
  Table table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) != 0 ? 0x82f63b78u : 0u);
    table[0][i] = value;
  }
  for (std::size_t row = 1; row < table.size(); ++row) {
    for (std::size_t i = 0; i < 256; ++i) {
      table[row][i] = (table[row - 1][i] >> 8) ^ table[0][table[row - 1][i] & 0xff];
    }
  }
  return table;
}

constexpr Table table = make_table();

std::uint32_t add_word(std::uint32_t crc, std::uint64_t word) {
  word ^= crc;
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out ^= table[7 - i][(word >> (8 * i)) & 0xff];
  return out;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t add_hardware(std::uint32_t crc, ByteView bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8)
    wide = __builtin_ia32_crc32di(wide, load<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) narrow = __builtin_ia32_crc32qi(narrow, *at);
  return narrow;
}

bool has_hardware() { return __builtin_cpu_supports("sse4.2") != 0; }
#else
std::uint32_t add_hardware(std::uint32_t crc, ByteView bytes) {
  return crc32c_add_portable(crc, bytes);
}
bool has_hardware() { return false; }
#endif

}  // namespace

std::uint32_t crc32c_add_portable(std::uint32_t crc, ByteView bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) crc = add_word(crc, load<std::uint64_t>(at));
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ table[0][(crc ^ *at) & 0xff];
  return crc;
}

std::uint32_t crc32c_add(std::uint32_t crc, ByteView bytes) {
  static const bool hardware = has_hardware();
  return hardware ? add_hardware(crc, bytes) : crc32c_add_portable(crc, bytes);
}

}  // namespace lb::pg
