// BlockSet: numbers of blocks of one fork, compact whether they lie thin or thick: by 2^16 blocks
// (512 MiB) either a sorted list of two bytes each or, from 4096 on, a bitmap of 8 KiB. Never more
// than two bytes a block and a small head for each 512 MiB. Pure. Used for what the log changed.
#pragma once

#include <cstdint>
#include <vector>

#include "foundation/base/bytes.h"

namespace lb::pg {

class BlockSet {
 public:
  bool add(std::uint32_t block);  // false: it was there
  void merge(const BlockSet& other);
  bool contains(std::uint32_t block) const;
  bool empty() const { return chunks_.empty(); }
  std::uint64_t count() const;
  // Appends those in [first, end) to `out`, ascending.
  void list(std::uint64_t first, std::uint64_t end, std::vector<std::uint32_t>& out) const;
  std::uint64_t memory_bytes() const;
  bool operator==(const BlockSet&) const = default;

  // By 2^16 blocks the smaller of gaps and bitmap. decode_from: corrupt when it is not exactly what
  // encode_to writes.
  void encode_to(ByteWriter& out) const;
  static Result<BlockSet> decode_from(ByteReader& in);

 private:
  struct Chunk {
    std::uint16_t high = 0;   // block >> 16
    std::uint32_t count = 0;  // at least one
    // The low halves: a sorted list below 4096 blocks, from there on the words of a bitmap.
    std::vector<std::uint16_t> data;
    bool is_bitmap() const;
    void to_bitmap();
    bool add(std::uint16_t low);
    void merge(const Chunk& other);
    bool contains(std::uint16_t low) const;
    std::size_t gap_bytes() const;
    bool operator==(const Chunk&) const = default;
  };
  std::size_t place_of(std::uint16_t high) const;
  Chunk& chunk_of(std::uint16_t high);
  static void encode_chunk(const Chunk& chunk, ByteWriter& out);
  static Result<Chunk> decode_chunk(ByteReader& in, std::uint16_t high);
  static Status decode_gaps(ByteReader& in, Chunk& chunk);
  static Status decode_bitmap(ByteReader& in, Chunk& chunk);

  std::vector<Chunk> chunks_;  // sorted by `high`
};

}  // namespace lb::pg
