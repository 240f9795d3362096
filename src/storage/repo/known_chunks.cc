#include "storage/repo/known_chunks.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/index_reader.h"
#include "storage/repo/pack_format.h"

namespace lb::repo {

namespace {

constexpr std::chrono::hours abandoned_after{24};
constexpr std::size_t spill_share = 64;  // of the memory of a session, for its own chunks

// The packs that are there, sorted by key as a store lists them.
class PacksThere {
 public:
  PacksThere(std::vector<BlobInfo> packs, const std::set<std::string>& excluded)
      : packs_(std::move(packs)), excluded_(excluded) {}

  bool whole(const std::string& name, std::uint64_t bytes) const {
    auto found = std::lower_bound(
        packs_.begin(), packs_.end(), name,
        [](const BlobInfo& pack, const std::string& key) { return pack.key < key; });
    return found != packs_.end() && found->key == name && found->size == bytes;
  }
  bool usable(const std::string& name, std::uint64_t bytes) const {
    return whole(name, bytes) && !excluded_.contains(name);
  }

 private:
  const std::vector<BlobInfo> packs_;
  const std::set<std::string>& excluded_;
};

// Calls `take(id, frame, offset, length)` for the entries of the packs that `number` gives a
// number.
template <typename Number, typename Take>
void each_place(const Index& index, const Number& number, const Take& take) {
  struct Frames {
    std::optional<std::uint32_t> pack;
    std::vector<std::uint32_t> offsets;
  };
  std::vector<Frames> packs;
  for (const auto& [pack, frame_sizes] : index.packs) {
    auto& frames = packs.emplace_back();
    frames.pack = number(pack);
    if (!frames.pack) continue;
    auto offset = static_cast<std::uint32_t>(pack_header_bytes);
    for (auto size : frame_sizes) {
      frames.offsets.push_back(offset);
      offset += size;
    }
  }
  for (const auto& entry : index.entries) {
    const auto& frames = packs[entry.pack];
    if (!frames.pack) continue;
    FramePlace frame{*frames.pack, entry.frame, frames.offsets[entry.frame],
                     index.packs[entry.pack].frame_sizes[entry.frame]};
    take(entry.id, frame, entry.offset, entry.length);
  }
}

// Without a cache: everything goes into the map.
class IntoMap final : public IndexTaker {
 public:
  IntoMap(const PacksThere& there, ChunkMap& chunks) : there_(there), chunks_(chunks) {}

  bool covers(const std::string&) const override { return false; }
  Status cover(const std::string&) override { return {}; }
  Status take(const std::string&, const IndexObject& object) override {
    auto number = [&](const StoredPack& pack) -> std::optional<std::uint32_t> {
      if (!there_.usable(pack.name, pack.bytes)) return std::nullopt;
      return chunks_.add_pack(pack);
    };
    each_place(object.index, number,
               [&](const ChunkId& id, const FramePlace& frame, std::uint32_t offset,
                   std::uint32_t length) { chunks_.place(id, frame, offset, length); });
    return {};
  }

 private:
  const PacksThere& there_;
  ChunkMap& chunks_;
};

// Into new tables of the cache. A failure of the cache is kept apart from one of the store.
class IntoCache final : public IndexTaker {
 public:
  explicit IntoCache(index::Cache& cache) : cache_(cache) {}

  bool covers(const std::string& name) const override {
    return cache_.covers(name) || news_.sources().contains(name);
  }
  Status cover(const std::string& name) override {
    news_.add_source(name);
    return {};
  }
  Status take(const std::string& name, const IndexObject& object) override {
    news_.add_source(name);
    for (const auto& replaced : object.replaces) news_.add_source(replaced);
    auto number = [&](const StoredPack& pack) -> std::optional<std::uint32_t> {
      if (pack.name.size() > index::pack_name_bytes_max) return std::nullopt;
      return news_.add_pack({pack.name, pack.bytes, pack.sha256});
    };
    each_place(object.index, number,
               [&](const ChunkId& id, const FramePlace& frame, std::uint32_t offset,
                   std::uint32_t length) {
                 index::Place place{frame.pack, frame.number, frame.offset,
                                    frame.size, offset,       length};
                 if (index::packable(place)) news_.add(id, place);
               });
    return news_.full() ? put() : Status();
  }
  Status put() {
    auto added = cache_.add(std::exchange(news_, {}));
    if (!added.ok()) failure = added.error();
    return added;
  }

  std::optional<Error> failure;

 private:
  index::Cache& cache_;
  index::NewTable news_;
};

}  // namespace

index::CachePlace cache_place(const Core& core) {
  const auto& id = core.keys.repository_id;
  // The id key: whoever may write has it, and nobody else.
  auto key = hkdf_sha256(core.keys.id_key.bytes(), {}, view_of("lifeboat index cache " + id));
  return {*core.options.files, path_join(core.options.cache_folder, id),
          std::make_shared<const index::Seal>(index::Seal{Hmac(key.bytes()), id}), core.random};
}

namespace {

Result<std::vector<bool>> usable_packs(const std::shared_ptr<const index::Table>& table,
                                       const PacksThere& there) {
  std::vector<bool> out;
  index::TableReader reader(table);
  index::Pack pack;
  while (LB_TRY(reader.next(pack))) out.push_back(there.usable(pack.name, pack.bytes));
  if (out.size() != table->packs()) return Error(ErrorKind::corrupt, "packs are missing");
  return out;
}

class Loader {
 public:
  Loader(const Core& core, const PacksThere& there, const std::stop_token& stop, ChunkMap& chunks,
         KnownChunks& out)
      : core_(core), there_(there), stop_(stop), chunks_(chunks), out_(out) {}

  Status load() {
    if (core_.options.cache_folder.empty() || core_.options.files == nullptr) return into_map();
    auto cached = through_cache();
    if (!cached.ok() && cache_failure_ && cache_failure_->kind() == ErrorKind::corrupt) {
      cache_failure_.reset();
      cached = through_cache();  // what was damaged is gone, and read anew
    }
    if (cached.ok() || !cache_failure_) return cached;
    out_.warnings.push_back(
        cat("the index is kept in memory, not in the cache: ", cache_failure_->text()));
    return into_map();
  }

 private:
  Status into_map() {
    IntoMap taker(there_, chunks_);
    return read_indexes(core_, taker, out_.warnings, stop_);
  }

  Status through_cache() {
    auto place = cache_place(core_);
    auto opened = index::Cache::open(place, core_.clock.now() - abandoned_after);
    if (!opened.ok()) return failed(std::move(opened).take_error());
    auto& cache = *opened;
    IntoCache taker(cache);
    std::vector<std::string> warnings;
    auto read = read_indexes(core_, taker, warnings, stop_);
    if (read.ok()) read = taker.put();
    if (taker.failure) return failed(*taker.failure);
    LB_TRY(std::move(read));
    auto ready = use(cache);
    if (!ready.ok()) {
      if (ready.error().kind() == ErrorKind::cancelled) return ready;
      if (ready.error().kind() == ErrorKind::corrupt) (void)cache.clear().ok();
      return failed(std::move(ready).take_error());
    }
    chunks_.spill_to(place, std::max<std::size_t>(core_.options.memory_bytes / spill_share /
                                                      (sizeof(index::Entry) * 3 / 2),
                                                  4096));
    out_.warnings.insert(out_.warnings.end(), warnings.begin(), warnings.end());
    return {};
  }

  // Few tables, and of each the packs that count.
  Status use(index::Cache& cache) {
    std::set<std::string> listed;
    for (auto& object : LB_TRY(core_.blobs.list("x/"))) listed.insert(std::move(object.key));
    auto keep = [this](const index::Pack& pack) { return there_.whole(pack.name, pack.bytes); };
    LB_TRY(cache.merge(keep, listed, stop_));
    std::vector<std::vector<bool>> usable;
    for (const auto& table : cache.tables()) usable.push_back(LB_TRY(usable_packs(table, there_)));
    for (std::size_t i = 0; i < usable.size(); ++i) {
      chunks_.know(cache.tables()[i], std::move(usable[i]));
    }
    return {};
  }

  Status failed(Error error) {
    cache_failure_ = error;
    return error;
  }

  const Core& core_;
  const PacksThere& there_;
  const std::stop_token& stop_;
  ChunkMap& chunks_;
  KnownChunks& out_;
  std::optional<Error> cache_failure_;
};

}  // namespace

Result<KnownChunks> load_known(const Core& core, const Verdict* parent,
                               const std::set<std::string>& excluded, const std::stop_token& stop,
                               ChunkMap& chunks) {
  KnownChunks out;
  PacksThere there(LB_TRY(core.blobs.list("p/")), excluded);
  LB_TRY(Loader(core, there, stop, chunks, out).load());
  if (parent == nullptr) return out;
  for (const auto& pack : parent->packs) {
    out.parent_packs.push_back(there.usable(pack.name, pack.bytes)
                                   ? chunks.add_pack({pack.name, pack.bytes, pack.sha256})
                                   : pack_lost);
  }
  return out;
}

}  // namespace lb::repo
