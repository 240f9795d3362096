// ChunkMap: which chunks the repository has and where: what was known when the session began, in
// tables or in memory, and what the session itself has claimed and stored. In memory a chunk takes
// 32 bytes in tables at most four fifths full; with a place to spill to, the session's own chunks
// leave memory by the hundred thousand. Thread-safe (sharded by id).
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"
#include "storage/index/cache.h"
#include "storage/repo/types.h"

namespace lb::repo {

// A whole pack object.
struct StoredPack {
  std::string name;
  std::uint64_t bytes = 0;  // 0: not put yet
  Digest sha256{};          // of its end, from the footer on
};

class ChunkRuns;

class ChunkMap {
 public:
  ChunkMap();
  ~ChunkMap();

  // Packs keep the number they were first given.
  std::uint32_t add_pack(const StoredPack& pack);
  void complete_pack(std::uint32_t number, std::uint64_t bytes, const Digest& sha256);
  StoredPack pack(std::uint32_t number) const;

  // True when the caller is the first to bring this chunk and now owes its place.
  bool claim(const ChunkId& id, std::uint32_t length);
  // The first place of a chunk stays. False when the place is beyond what a map holds (packs of
  // 128 MiB, frames of 1 MiB; ours are smaller): the chunk is not known then.
  bool place(const ChunkId& id, const FramePlace& frame, std::uint32_t offset,
             std::uint32_t length);
  std::optional<ChunkPlace> find(const ChunkId& id) const;  // nothing while only claimed

  // Before the map is used: a table of chunks that are there, and which of its packs count.
  void know(std::shared_ptr<const index::Table> table, std::vector<bool> usable);
  // Before the map is used: where own chunks go when more than `entries_max` are in memory.
  void spill_to(index::CachePlace place, std::size_t entries_max);
  // Why own chunks stay in memory although they are too many; nothing while all is well.
  std::optional<Error> spill_trouble() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::vector<index::Entry> slots;  // open addressing; an empty slot has an empty place
    std::size_t used = 0;
    std::size_t slot_of(const ChunkId& id) const;
    const index::Entry* find(const ChunkId& id) const;
    index::Entry& add(const index::Entry& entry);
    void resize(std::size_t size);
  };
  struct Known;
  // By the first bits, so that the shards one after another are in the order of ids.
  Shard& shard(const ChunkId& id) { return shards_[id[0] / (256 / shards_.size())]; }
  const Shard& shard(const ChunkId& id) const { return shards_[id[0] / (256 / shards_.size())]; }
  bool is_stored(const ChunkId& id) const;
  std::optional<index::Place> find_known(const ChunkId& id) const;
  void spill();
  std::vector<index::Entry> take_to_spill(Shard& shard);
  void forget_spilled(Shard& shard);

  std::array<Shard, 16> shards_;
  mutable std::mutex packs_mutex_;
  mutable std::vector<StoredPack> packs_;  // grows when a known chunk of another pack is found
  mutable std::map<std::string, std::uint32_t> pack_numbers_;
  std::vector<std::unique_ptr<Known>> known_;
  std::unique_ptr<ChunkRuns> runs_;
  std::atomic<std::size_t> placed_{0};  // in the shards
  std::mutex spill_mutex_;
};

}  // namespace lb::repo
