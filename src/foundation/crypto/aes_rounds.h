// AES-128 by the instructions of x86, in the one form that WindowPrf needs: four blocks at once,
// summed, and the sum once more. Callers use OpenSSL where the instructions are missing. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace lb {

using AesKey = std::array<std::uint8_t, 16>;
// The eleven round keys of FIPS 197, one after another.
using AesRoundKeys = std::array<std::uint8_t, 176>;

struct WindowRounds {
  AesRoundKeys inner, outer;
  std::array<std::uint8_t, 64> masks;
};

bool aes_rounds_supported();
AesRoundKeys expand_aes_key(const AesKey& key);  // zeros where not supported
// The first 64 bits, little-endian. Only where supported.
std::uint64_t encrypt_window(const WindowRounds& rounds, const std::uint8_t* window);

}  // namespace lb
