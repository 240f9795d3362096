// ChunkMap: which chunks the repository has and where. Built from the index objects at the start of
// a session, grown as packs are filled. 28 bytes a chunk in tables at most four fifths full, and 16
// a frame. Thread-safe (sharded by id).
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"
#include "storage/repo/types.h"

namespace lb::repo {

// A whole pack object.
struct StoredPack {
  std::string name;
  std::uint64_t bytes = 0;  // 0: not put yet
  Digest sha256{};
};

struct FramePlace {
  std::uint32_t pack = 0;    // number in the map's own list of packs
  std::uint32_t number = 0;  // in the pack
  std::uint32_t offset = 0;  // packs stay below 4 GiB
  std::uint32_t size = 0;    // sealed
};

struct ChunkPlace {
  FramePlace frame;
  std::uint32_t offset = 0, length = 0;
};

class ChunkMap {
 public:
  // Packs keep the number they were first given.
  std::uint32_t add_pack(const StoredPack& pack);
  void complete_pack(std::uint32_t number, std::uint64_t bytes, const Digest& sha256);
  StoredPack pack(std::uint32_t number) const;
  std::uint32_t add_frame(const FramePlace& frame);

  // True when the caller is the first to bring this chunk and now owes its place.
  bool claim(const ChunkId& id, std::uint32_t length);
  // `frame`: number from add_frame. The first place of a chunk stays.
  void place(const ChunkId& id, std::uint32_t frame, std::uint32_t offset, std::uint32_t length);
  std::optional<ChunkPlace> find(const ChunkId& id) const;  // nothing while only claimed

 private:
  struct Entry {
    ChunkId id;
    std::uint32_t frame, offset, length;  // length 0: an empty slot
  };
  struct Shard {
    mutable std::mutex mutex;
    std::vector<Entry> slots;
    std::size_t used = 0;
    std::size_t slot_of(const ChunkId& id) const;
    void grow();
    // The entry of the chunk; added when it is new.
    Entry& at(const ChunkId& id, std::uint32_t length, bool& added);
  };
  Shard& shard(const ChunkId& id) { return shards_[id[15] % shards_.size()]; }
  const Shard& shard(const ChunkId& id) const { return shards_[id[15] % shards_.size()]; }

  std::array<Shard, 16> shards_;
  mutable std::mutex packs_mutex_;
  std::vector<StoredPack> packs_;
  std::map<std::string, std::uint32_t> pack_numbers_;
  std::vector<FramePlace> frames_;
};

// An index object: the packs it speaks of with the sizes of their frames, and entries sorted by id.
struct IndexPack {
  StoredPack pack;
  std::vector<std::uint32_t> frame_sizes;
};
struct IndexEntry {
  ChunkId id{};
  std::uint32_t pack = 0;  // position in Index::packs
  std::uint32_t frame = 0, offset = 0, length = 0;
};
struct Index {
  std::vector<IndexPack> packs;
  std::vector<IndexEntry> entries;
};
Buffer encode_index(Index index);
Result<Index> decode_index(ByteView bytes);

}  // namespace lb::repo
