// What a session that begins finds in the repository: the chunks it need not store again, and the
// packs of its parent. Read from the index objects and from the list of packs.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/repo/chunk_map.h"
#include "storage/repo/core.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

inline constexpr std::uint32_t pack_lost = 0xFFFFFFFF;

struct KnownChunks {
  std::vector<std::uint32_t> parent_packs;  // the parent's number -> the map's, or pack_lost
  std::vector<std::string> warnings;
};

// Only packs that are there, whole, and not `excluded` (keys) count: what a damaged repository
// lost, and what a collector is about to remove, is stored again. `parent` may be null.
Result<KnownChunks> load_known(const Core& core, const Verdict* parent,
                               const std::set<std::string>& excluded, const std::stop_token& stop,
                               ChunkMap& chunks);

// The folder of this repository below the cache folder, which the options must have.
index::CachePlace cache_place(const Core& core);

}  // namespace lb::repo
