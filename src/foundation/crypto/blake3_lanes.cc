#include "foundation/crypto/blake3_lanes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#define LB_INLINE LB_TARGET [[gnu::always_inline]] inline

namespace lb {

namespace {

constexpr std::uint32_t look_ahead = 4;  // blocks
constexpr std::uint32_t leaf_blocks = blake3_leaf_bytes / blake3_block_bytes;

static_assert(std::endian::native == std::endian::little, "blocks are read as words in place");

// Which word of the block each step of a round takes: the permutation of the paper, once more for
// each round.
constexpr auto word_order = [] {
  constexpr std::array<std::uint8_t, 16> permutation = {2, 6,  3,  10, 7, 0,  4,  13,
                                                        1, 11, 12, 5,  9, 14, 15, 8};
  std::array<std::array<std::uint8_t, 16>, 7> out{};
  for (std::size_t i = 0; i < 16; ++i) out[0][i] = static_cast<std::uint8_t>(i);
  for (std::size_t round = 1; round < out.size(); ++round) {
    for (std::size_t i = 0; i < 16; ++i) out[round][i] = out[round - 1][permutation[i]];
  }
  return out;
}();

#if defined(__x86_64__)

namespace wide {
#define LB_TARGET [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]]
#define LB_LANES 16
#include "foundation/crypto/blake3_kernel.inc"
#undef LB_LANES
#undef LB_TARGET
}  // namespace wide

namespace half {
#define LB_TARGET [[gnu::target("avx2")]]
#define LB_LANES 8
#include "foundation/crypto/blake3_kernel.inc"
#undef LB_LANES
#undef LB_TARGET
}  // namespace half

#endif

namespace plain {
#define LB_TARGET
#define LB_LANES 4
#include "foundation/crypto/blake3_kernel.inc"
#undef LB_LANES
#undef LB_TARGET
}  // namespace plain

std::vector<Blake3Kernel> find_kernels() {
  std::vector<Blake3Kernel> out;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0) {
    out.push_back({"AVX-512", 16, wide::compress});
  }
  if (__builtin_cpu_supports("avx2") != 0) out.push_back({"AVX2", 8, half::compress});
#endif
  out.push_back({"plain", 4, plain::compress});
  return out;
}

}  // namespace

const std::vector<Blake3Kernel>& blake3_kernels() {
  static const auto kernels = find_kernels();
  return kernels;
}

}  // namespace lb
