// AES-128 by the instructions of x86, in the form that WindowPrf and BlockMac need: several blocks
// at once, summed, and the sum once more. Callers use AesBlocks where they are missing. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"

namespace lb {

inline constexpr std::size_t aes_block_bytes = 16;
using AesBlock = std::array<std::uint8_t, aes_block_bytes>;
using AesKey = std::array<std::uint8_t, 16>;
// The eleven round keys of FIPS 197, one after another.
using AesRoundKeys = std::array<std::uint8_t, 176>;

struct WindowRounds {
  AesRoundKeys inner, outer;
  std::array<std::uint8_t, 64> masks;
};

// One more than a message has: the last says which message it is.
inline constexpr std::size_t mac_blocks_max = 65;
struct MacRounds {
  AesRoundKeys inner, outer;
  std::array<std::uint8_t, mac_blocks_max * aes_block_bytes> masks;  // the last block's at the end
};

bool aes_rounds_supported();
AesRoundKeys expand_aes_key(const AesKey& key);  // zeros where not supported
// The first 64 bits, little-endian. Only where supported.
std::uint64_t encrypt_window(const WindowRounds& rounds, const std::uint8_t* window);
// Whole blocks, fewer than mac_blocks_max. Only where supported.
AesBlock mac_blocks(const MacRounds& rounds, ByteView message, const AesBlock& last);

}  // namespace lb
