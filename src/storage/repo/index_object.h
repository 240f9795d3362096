// Index objects: which chunks lie where in the packs of a session, sealed for writers. Merged ones
// stand for several others. docs/format.md, "Sessions". Derived: any of them may be lost.
#pragma once

#include <string>
#include <vector>

#include "foundation/sys/random.h"
#include "storage/repo/chunk_map.h"
#include "storage/repo/keyring.h"

namespace lb::repo {

// The packs an index speaks of with the sizes of their frames, and entries sorted by id.
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

// The keys of the indexes that a merged one stands for: its first frame.
Buffer encode_replaces(const std::vector<std::string>& keys);
Result<std::vector<std::string>> decode_replaces(ByteView bytes);

struct IndexObject {
  std::vector<std::string> replaces;  // of a merged index
  Index index;
};
Buffer seal_index(const Keyring& keys, Random& random, const std::string& key, Index index);
Buffer seal_merged_index(const Keyring& keys, Random& random, const std::string& key,
                         const std::vector<std::string>& replaces, Index index);
// Of either kind; the key says which. corrupt when it is not as it was sealed.
Result<IndexObject> open_index(const Keyring& keys, const std::string& key, ByteView object);

}  // namespace lb::repo
