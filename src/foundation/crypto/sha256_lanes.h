// SHA-256 of several messages side by side. One message keeps a processor waiting for itself: each
// round needs the one before. The SHA instructions of x86 interleave four messages, AVX-512 takes
// sixteen in one; which is faster hangs on the make of the processor (4.1 GB/s against 2.3 on an
// Intel Xeon), so it is tried once. Where both are missing callers use OpenSSL. Pure, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lb {

inline constexpr std::size_t sha256_block_bytes = 64;
inline constexpr std::size_t sha256_lanes_max = 16;

// The state of FIPS 180-4 between two blocks: H0 to H7.
using Sha256Words = std::array<std::uint32_t, 8>;
inline constexpr Sha256Words sha256_start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// The states of all lanes, word by word.
struct alignas(64) Sha256States {
  std::array<std::array<std::uint32_t, sha256_lanes_max>, 8> words{};

  void set(std::size_t lane, const Sha256Words& state) {
    for (std::size_t i = 0; i < state.size(); ++i) words[i][lane] = state[i];
  }
  Sha256Words get(std::size_t lane) const {
    Sha256Words out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = words[i][lane];
    return out;
  }
};
using Sha256LaneBytes = std::array<const std::uint8_t*, sha256_lanes_max>;

// One way to do it.
struct Sha256Kernel {
  const char* name;
  std::size_t lanes;  // that take the time of one
  // Feeds `blocks` blocks of bytes[n] to each lane n < count; any count up to sha256_lanes_max.
  void (*feed)(Sha256States& states, const Sha256LaneBytes& bytes, std::size_t count,
               std::size_t blocks);
};
// Those that this processor can run, maybe none.
const std::vector<Sha256Kernel>& sha256_kernels();

// How many messages to keep on their way for the best speed; 0: there is no kernel.
std::size_t sha256_lanes_at_once();
// Feeds the lanes by the kernel that is fastest for that many. Only when there is one.
void sha256_lanes(Sha256States& states, const Sha256LaneBytes& bytes, std::size_t count,
                  std::size_t blocks);

}  // namespace lb
