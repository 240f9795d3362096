// Packer: the sealing half of a session. New chunks are gathered into frames; worker threads
// compress and seal them into packs, and hand full packs to threads that put them, so that nobody
// who has work waits for the store. Memory: the frame queue and the pack buffers; who needs one
// more waits. Thread-safe. The first failure stops everything and is returned by every later call.
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
#include "storage/repo/frame_gatherer.h"
#include "storage/repo/index_object.h"
#include "storage/repo/open_pack.h"

namespace lb::repo {

struct PackerLimits {
  unsigned workers = 2;  // seal
  unsigned puts = 2;     // packs being put at once
  std::size_t queue_bytes = 0;
  std::size_t pack_bytes = 0;  // a pack closes when it reaches this
  std::size_t packs = 2;       // in memory at once: filled or being put
};

class Packer {
 public:
  Packer(const Core& core, ChunkMap& chunks, std::string session, const PackerLimits& limits,
         std::stop_token stop);
  ~Packer();

  // Takes a chunk that ChunkMap::claim gave to the caller. `full`: what a frame that it comes into
  // is filled to.
  Status add(const Digest& id, ByteView bytes, std::size_t full);
  // Seals everything taken so far: all places are known then. The last pack stays open.
  Status settle();
  // settle(), and puts everything, partial packs and the rest of the index too. The packer goes on
  // afterwards.
  Status drain();

  std::uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  // Where a frame comes to lie.
  struct Slot {
    std::shared_ptr<OpenPack> pack;
    std::uint32_t frame = 0;
    std::size_t offset = 0;
  };

  void start(Status (Packer::*task)());
  Status work();
  Status put_packs();
  Status seal(const ChunkFrame& frame);
  Result<Slot> reserve(const ChunkFrame& frame, std::size_t sealed_bytes);
  void open_pack();
  std::shared_ptr<OpenPack> close_pack();
  void hand_over(std::shared_ptr<OpenPack> pack);
  Status finish(OpenPack& pack);
  void note_in_index(const OpenPack& pack, const Digest& digest);
  Status put_index(bool all);
  Status fail(Error error);
  Status check() const;
  void frame_done();

  const Core& core_;
  ChunkMap& chunks_;
  const std::string session_;
  const PackerLimits limits_;
  const std::stop_token stop_;
  std::stop_source halt_;  // ends the workers: a failure, or the end of the session

  FrameGatherer frames_;
  BoundedQueue<ChunkFrame> queue_;
  BoundedQueue<std::shared_ptr<OpenPack>> full_;  // no more than there are buffers

  mutable std::mutex mutex_;  // packs and failure
  std::condition_variable changed_;
  PackBuffers buffers_;
  std::shared_ptr<OpenPack> open_pack_;  // shared by the threads that seal into it
  std::uint32_t next_pack_ = 0, next_index_ = 0;
  std::uint64_t frames_in_flight_ = 0;
  std::uint64_t packs_in_flight_ = 0;  // closed, and not yet put
  Index index_;                        // of packs put since the last index object
  std::optional<Error> failure_;
  std::atomic<std::uint64_t> stored_bytes_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace lb::repo
