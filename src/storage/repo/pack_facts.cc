#include "storage/repo/pack_facts.h"

#include <algorithm>
#include <cstring>

namespace lb::repo {

namespace {

// The id is a keyed hash already; the multiplication spreads the place over all bits.
std::uint64_t number_of(const std::uint8_t* id, std::uint32_t offset, std::uint64_t length) {
  std::uint64_t half = 0;
  std::memcpy(&half, id, sizeof half);
  return half ^ ((std::uint64_t{offset} << 32 | length) * 0x9E3779B97F4A7C15ull);
}

}  // namespace

PackFacts::PackFacts(const std::vector<FooterFrame>& frames) {
  std::size_t chunks = 0;
  for (const auto& frame : frames) chunks += frame.chunks.size();
  frames_.reserve(frames.size() + 1);
  chunks_.reserve(chunks);
  for (const auto& frame : frames) {
    frames_.push_back(
        {frame.offset, frame.sealed_bytes, static_cast<std::uint32_t>(chunks_.size())});
    for (const auto& chunk : frame.chunks) {
      chunks_.push_back(number_of(chunk.id.data(), chunk.offset, chunk.length));
    }
  }
  frames_.push_back({0, 0, static_cast<std::uint32_t>(chunks_.size())});
}

bool PackFacts::holds(std::uint32_t frame, std::uint32_t offset, std::uint64_t length,
                      const ChunkId& id) const {
  if (frames_.empty() || frame >= frames_.size() - 1) return false;
  auto begin = chunks_.begin() + frames_[frame].first;
  auto end = chunks_.begin() + frames_[frame + 1].first;
  return std::find(begin, end, number_of(id.data(), offset, length)) != end;
}

bool PackFacts::holds(const Extent& extent) const {
  return holds(extent.frame, extent.offset, extent.chunk_bytes(), extent.id) &&
         frames_[extent.frame].offset == extent.frame_offset &&
         frames_[extent.frame].sealed_bytes == extent.frame_size;
}

}  // namespace lb::repo
