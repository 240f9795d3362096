// FrameGatherer: puts chunks together into frames. Each thread that brings chunks fills a frame of
// its own, so that what is read together lies together and threads do not wait for each other.
// Memory of sealed frames is used again. Thread-safe.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace lb::repo {

struct ChunkFrame {
  Buffer plain;
  std::vector<std::pair<Digest, std::uint32_t>> chunks;  // id, length
};

class FrameGatherer {
 public:
  // `spare_max`: frames kept for further use.
  explicit FrameGatherer(std::size_t spare_max) : spare_max_(spare_max) {}

  // The frame of the calling thread, when it was full before this chunk: `full` bytes or more, or
  // so many that the chunk has no room.
  std::optional<ChunkFrame> add(const Digest& id, ByteView bytes, std::size_t full);
  // What is not full yet, of all threads.
  std::vector<ChunkFrame> take_rest();
  void give_back(ChunkFrame frame);

 private:
  struct Lane {
    std::mutex mutex;
    ChunkFrame frame;
  };
  Lane& lane_of_thread();
  ChunkFrame fresh();

  const std::size_t spare_max_;
  std::array<Lane, 8> lanes_;  // more threads share
  std::mutex spare_mutex_;
  std::vector<ChunkFrame> spare_;
};

}  // namespace lb::repo
