// SHA-256 of several messages side by side. One message keeps a processor waiting for itself: each
// round needs the one before. Rounds of up to four messages are interleaved, which is more than
// twice as fast. Needs the SHA instructions of x86; where they are missing callers use OpenSSL.
// Pure and thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lb {

inline constexpr std::size_t sha256_block_bytes = 64;
inline constexpr std::size_t sha256_lanes_max = 4;

// The state of FIPS 180-4 between two blocks: H0 to H7.
using Sha256Words = std::array<std::uint32_t, 8>;
inline constexpr Sha256Words sha256_start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

struct Sha256Lane {
  Sha256Words* words = nullptr;
  const std::uint8_t* bytes = nullptr;
};

bool sha256_lanes_supported();
// Feeds `blocks` blocks to each of the first `count` lanes (1 to sha256_lanes_max). Only where
// supported.
void sha256_lanes(const std::array<Sha256Lane, sha256_lanes_max>& lanes, std::size_t count,
                  std::size_t blocks);

}  // namespace lb
