// ChunkMap: which chunks the repository has and where. Built from the index objects at the start of
// a session, grown as packs are filled. About 64 bytes a chunk. Thread-safe (sharded by id).
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/repo/types.h"

namespace lb::repo {

struct ChunkPlace {
  std::uint32_t pack = 0;  // number in the map's own list of packs
  std::uint32_t frame = 0;
  std::uint32_t frame_offset = 0;  // packs stay below 4 GiB
  std::uint32_t frame_size = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};
inline constexpr std::uint32_t pack_pending = 0xFFFFFFFF;  // chosen for a frame, not placed yet

class ChunkMap {
 public:
  std::uint32_t add_pack(const std::string& name);  // known names keep their number
  std::string pack_name(std::uint32_t number) const;
  std::size_t pack_count() const;

  // True when the caller is the first to bring this chunk: it is then marked pending and the caller
  // stores it.
  bool claim(const ChunkId& id, std::uint32_t length);
  void place(const ChunkId& id, const ChunkPlace& place);
  void add_known(const ChunkId& id, const ChunkPlace& place);  // keeps an existing place
  std::optional<ChunkPlace> find(const ChunkId& id) const;

 private:
  struct HashId {
    std::size_t operator()(const ChunkId& id) const;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<ChunkId, ChunkPlace, HashId> places;
  };
  Shard& shard(const ChunkId& id) { return shards_[id[15] % shards_.size()]; }
  const Shard& shard(const ChunkId& id) const { return shards_[id[15] % shards_.size()]; }

  std::array<Shard, 16> shards_;
  mutable std::mutex packs_mutex_;
  std::vector<std::string> packs_;
  std::map<std::string, std::uint32_t> pack_numbers_;
};

// An index object: the packs it speaks of, and entries sorted by id. Fixed-size entries of 40
// bytes.
struct IndexEntry {
  ChunkId id{};
  ChunkPlace place;  // place.pack: number in this object's own list
};
Buffer encode_index(const std::vector<std::string>& packs, std::vector<IndexEntry> entries);
Status read_index(ByteView bytes, std::vector<std::string>& packs,
                  std::vector<IndexEntry>& entries);

}  // namespace lb::repo
