// OpenPack: a pack in memory while it is filled. Space is reserved under the packer's lock; sealing
// into it needs none, so the bytes never move while frames are pending. PackBuffers: the memory for
// them, a fixed number of equal pieces, used again and again: the system takes long to give and
// clear so much.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "foundation/sys/files.h"
#include "storage/repo/frame_gatherer.h"
#include "storage/repo/pack_format.h"

namespace lb::repo {

struct OpenPack {
  std::string name;
  std::uint32_t number = 0;  // in the ChunkMap
  PackKey key;
  PageBytes bytes;
  std::size_t room = 0, used = 0;
  std::vector<FooterFrame> frames;
  std::size_t chunks = 0;
  std::size_t pending = 0;  // frames reserved and not sealed yet
  bool closed = false;      // takes no more frames

  void append(ByteView more);  // makes room when it must
  // Space for one more frame; its offset.
  std::size_t reserve(const ChunkFrame& frame, std::size_t sealed_bytes);
  ByteView view() const { return {bytes.get(), used}; }
};

class PackBuffers {
 public:
  PackBuffers(std::size_t count, std::size_t bytes) : left_(count), bytes_(bytes) {}
  bool any_left() const { return left_ > 0; }
  void lend_to(OpenPack& pack);
  void take_back(OpenPack& pack);

 private:
  std::size_t left_;
  const std::size_t bytes_;
  std::vector<PageBytes> spare_;
};

}  // namespace lb::repo
