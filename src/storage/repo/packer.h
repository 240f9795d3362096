// Packer: the sealing half of a session. New chunks are gathered into frames; worker threads
// compress and seal them into packs and put full packs. Memory: the frame queue, and one pack
// buffer for each worker and one more. Thread-safe. The first failure stops everything and is
// returned by every later call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "foundation/flow/bounded_queue.h"
#include "storage/repo/chunk_map.h"
#include "storage/repo/core.h"
#include "storage/repo/pack_format.h"

namespace lb::repo {

struct PackerLimits {
  unsigned workers = 2;
  std::size_t queue_bytes = 0;
  std::size_t pack_bytes = 0;  // a pack closes when it reaches this
};

class Packer {
 public:
  Packer(const Core& core, ChunkMap& chunks, std::string session, const PackerLimits& limits,
         std::stop_token stop);
  ~Packer();

  // Takes a chunk that ChunkMap::claim gave to the caller.
  Status add(const Digest& id, ByteView bytes);
  // Seals everything taken so far: all places are known then. The last pack stays open.
  Status settle();
  // settle(), and puts everything, partial packs and the rest of the index too. The packer goes on
  // afterwards.
  Status drain();

  std::uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  struct Frame {
    Buffer plain;
    std::vector<std::pair<Digest, std::uint32_t>> chunks;  // id, length
  };
  struct Pack;
  struct Slot;

  Status work();
  Status seal(Frame frame);
  Slot reserve(const Frame& frame, std::size_t sealed_bytes);
  Status finish(std::shared_ptr<Pack> pack);
  Status put_index(bool all);
  void close_open_pack(std::vector<std::shared_ptr<Pack>>& closed);
  Status fail(Error error);
  Status check() const;
  void frame_done();

  const Core& core_;
  ChunkMap& chunks_;
  const std::string session_;
  const PackerLimits limits_;
  const std::stop_token stop_;
  std::stop_source halt_;  // ends the workers: a failure, or the end of the session

  std::mutex frame_mutex_;
  Frame open_frame_;
  BoundedQueue<Frame> queue_;

  mutable std::mutex mutex_;  // packs and failure
  std::condition_variable idle_;
  std::shared_ptr<Pack> open_pack_;
  std::uint32_t next_pack_ = 0, next_index_ = 0;
  std::uint64_t frames_in_flight_ = 0;
  Index index_;  // of packs put since the last index object
  std::optional<Error> failure_;
  std::atomic<std::uint64_t> stored_bytes_{0};
  std::vector<std::jthread> workers_;
};

}  // namespace lb::repo
