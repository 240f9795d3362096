// What of a pack snapshots name: FrameSet in two bytes and a bit a frame, enough to tell how much
// of the pack that is; LiveChunks exactly, for packs that are about to be rewritten. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "storage/repo/moved.h"

namespace lb::repo {

// A chunk, by its place in the opened frame.
struct LiveChunk {
  std::uint32_t frame = 0, offset = 0, length = 0;
  auto operator<=>(const LiveChunk&) const = default;
};

// What the footer of a pack says that a plan must know.
struct PackShape {
  struct Frame {
    std::uint32_t sealed_bytes = 0, plain_bytes = 0;
  };
  std::vector<Frame> frames;
};

class LiveChunks {
 public:
  void add(const LiveChunk& chunk);
  // Sorted, each once.
  const std::vector<LiveChunk>& list();
  std::size_t size() const { return chunks_.size(); }

 private:
  std::vector<LiveChunk> chunks_;
  std::size_t sorted_ = 0;  // so many of the first are
};

// Frames of one pack that are named. In each opened frame lie points at equal distances; those that
// named chunks cover are kept. Chunks cover as large a part of the points as of the bytes, on the
// average over a pack as exactly as needed.
class FrameSet {
 public:
  bool has(std::uint32_t frame) const { return frame < named_.size() && named_[frame]; }
  // `size`: of the sealed frame.
  void add(const LiveChunk& chunk, std::uint32_t size);
  // What `from` has of one of its frames, where that was moved to.
  void add_moved(const FrameSet& from, const MovedPack& moves, const MovedFrame& moved);
  std::vector<std::uint32_t> numbers() const;
  // About how many sealed bytes hold what is named; more exactly with the pack's shape, for frames
  // that are short.
  std::uint64_t live_bytes() const;
  std::uint64_t live_bytes(const PackShape& shape) const;

 private:
  void name(std::uint32_t frame, std::uint32_t size);
  // How many points lie in a frame that was filled.
  std::uint32_t full_points() const;

  std::vector<bool> named_;
  std::vector<std::uint16_t> points_;
  std::uint64_t bytes_ = 0;  // sealed, of the frames named
};

}  // namespace lb::repo
