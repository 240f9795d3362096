// The compression function of BLAKE3 for several nodes of its trees side by side, one in each lane
// of vector registers: 16 with AVX-512, 8 with AVX2, 4 with what every processor has. Pure,
// thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lb {

inline constexpr std::size_t blake3_block_bytes = 64;
inline constexpr std::size_t blake3_leaf_bytes = 1024;
inline constexpr std::size_t blake3_value_bytes = 32;
inline constexpr std::size_t blake3_lanes_max = 16;

// A key or a chaining value.
using Blake3Words = std::array<std::uint32_t, 8>;
inline constexpr Blake3Words blake3_start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

namespace blake3_flag {
inline constexpr std::uint32_t leaf_start = 1, leaf_end = 2, parent = 4, root = 8, keyed = 16;
}

// A leaf (up to 16 blocks of a message) or a parent (one block: the values of two children).
struct Blake3Node {
  const std::uint8_t* bytes;  // of all blocks before the last
  const std::uint8_t* last;   // the last block: 64 bytes that may be read
  std::uint32_t blocks;       // 1 to 16, the last included
  std::uint32_t last_bytes;   // that count, up to 64; behind them `last` holds zeros
  std::uint64_t counter;      // number of the leaf in its message; 0 for a parent
  std::uint32_t first_flags;  // of the first block,
  std::uint32_t last_flags;   // of the last; both when it is the only one. `keyed` is added.
  std::uint8_t* value;        // out: blake3_value_bytes
};

// One node for each lane, by members: vectors are loaded from these as they are.
struct alignas(64) Blake3Nodes {
  template <typename T>
  using PerLane = std::array<T, blake3_lanes_max>;
  PerLane<std::uint32_t> blocks, last_bytes, counter_low, counter_high, first_flags, last_flags;
  PerLane<const std::uint8_t*> bytes, last;
  PerLane<std::uint8_t*> value;
  std::uint32_t fewest_blocks, most_blocks;  // of all lanes

  void set(std::size_t lane, const Blake3Node& node) {
    blocks[lane] = node.blocks;
    last_bytes[lane] = node.last_bytes;
    counter_low[lane] = static_cast<std::uint32_t>(node.counter);
    counter_high[lane] = static_cast<std::uint32_t>(node.counter >> 32);
    first_flags[lane] = node.first_flags;
    last_flags[lane] = node.last_flags;
    bytes[lane] = node.bytes;
    last[lane] = node.last;
    value[lane] = node.value;
    fewest_blocks = lane == 0 ? node.blocks : std::min(fewest_blocks, node.blocks);
    most_blocks = lane == 0 ? node.blocks : std::max(most_blocks, node.blocks);
  }
};

struct Blake3Kernel {
  const char* name;
  std::size_t lanes;
  // The first `lanes` of them, set from 0 on. They may differ in all; the time is that of the
  // longest.
  void (*compress)(const Blake3Words& key, const Blake3Nodes& nodes);
};
// Those that this processor can run, the fastest first. Never empty.
const std::vector<Blake3Kernel>& blake3_kernels();

}  // namespace lb
