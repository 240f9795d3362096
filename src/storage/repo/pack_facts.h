// PackFacts: what the footer of a pack says, in 8 bytes a chunk and 16 a frame, to hold extents and
// index entries against it. A chunk is kept as a number made of its place and the first half of its
// id: two different ones are taken for the same once in 2^64. Pure.
#pragma once

#include <vector>

#include "storage/repo/pack_format.h"

namespace lb::repo {

class PackFacts {
 public:
  PackFacts() = default;
  explicit PackFacts(const std::vector<FooterFrame>& frames);

  // Whether a chunk of this id and length lies there.
  bool holds(std::uint32_t frame, std::uint32_t offset, std::uint64_t length,
             const ChunkId& id) const;
  // As above, and whether the frame lies where the extent says.
  bool holds(const Extent& extent) const;
  std::size_t bytes() const {
    return frames_.capacity() * sizeof(Frame) + chunks_.capacity() * sizeof(std::uint64_t);
  }

 private:
  struct Frame {
    std::uint64_t offset = 0;
    std::uint32_t sealed_bytes = 0;
    std::uint32_t first = 0;  // of its chunks
  };
  std::vector<Frame> frames_;  // and one more, behind the last
  std::vector<std::uint64_t> chunks_;
};

}  // namespace lb::repo
