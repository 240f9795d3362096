#include "storage/repo/known_chunks.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/pack_format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

// The packs that are there, sorted by key as a store lists them.
class PacksThere {
 public:
  PacksThere(std::vector<BlobInfo> packs, const std::set<std::string>& excluded)
      : packs_(std::move(packs)), excluded_(excluded) {}

  bool whole(const std::string& name, std::uint64_t bytes) const {
    auto found = std::lower_bound(
        packs_.begin(), packs_.end(), name,
        [](const BlobInfo& pack, const std::string& key) { return pack.key < key; });
    return found != packs_.end() && found->key == name && found->size == bytes &&
           !excluded_.contains(name);
  }

 private:
  const std::vector<BlobInfo> packs_;
  const std::set<std::string>& excluded_;
};

void add_index(const Index& index, const PacksThere& there, ChunkMap& chunks) {
  std::vector<std::vector<std::uint32_t>> frames;  // of each pack: numbers in the map
  for (const auto& [pack, frame_sizes] : index.packs) {
    frames.emplace_back();
    if (!there.whole(pack.name, pack.bytes)) continue;
    auto number = chunks.add_pack(pack);
    auto offset = static_cast<std::uint32_t>(pack_header_bytes);
    for (std::uint32_t i = 0; i < frame_sizes.size(); ++i) {
      frames.back().push_back(chunks.add_frame({number, i, offset, frame_sizes[i]}));
      offset += frame_sizes[i];
    }
  }
  for (const auto& entry : index.entries) {
    const auto& numbers = frames[entry.pack];
    if (!numbers.empty()) chunks.place(entry.id, numbers[entry.frame], entry.offset, entry.length);
  }
}

}  // namespace

Result<KnownChunks> load_known(const Core& core, const Verdict* parent,
                               const std::set<std::string>& excluded, const std::stop_token& stop,
                               ChunkMap& chunks) {
  KnownChunks out;
  PacksThere there(LB_TRY(core.blobs.list("p/")), excluded);
  for (const auto& object : LB_TRY(core.blobs.list("x/"))) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto bytes = core.blobs.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;  // just superseded
    auto sealed = LB_TRY(std::move(bytes));
    auto frames = open_object(core.keys, object.key, sealed);
    auto index = frames.ok() ? decode_index(frames->front()) : Result<Index>(frames.error());
    if (index.ok()) {
      add_index(*index, there, chunks);
      continue;
    }
    // It costs deduplication, never data: the backup goes on and says so.
    out.warnings.push_back(cat("index ", object.key, " is damaged; what it lists is stored again"));
  }
  if (parent == nullptr) return out;
  for (const auto& pack : parent->packs) {
    out.parent_packs.push_back(there.whole(pack.name, pack.bytes)
                                   ? chunks.add_pack({pack.name, pack.bytes, pack.sha256})
                                   : pack_lost);
  }
  return out;
}

}  // namespace lb::repo
