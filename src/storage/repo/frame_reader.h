// FrameReader: opens frames of packs. Keeps the keys of packs and the frames used last. The one
// place where what lay in a pack that was given up is looked for elsewhere: first where it was
// moved, then in copies of the store. Thread-safe.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>

#include "storage/repo/core.h"
#include "storage/repo/moves_finder.h"
#include "storage/repo/pack_format.h"

namespace lb::repo {

// Shared with readers that outlive its place in the cache.
using SharedFrame = std::shared_ptr<const Buffer>;

// What is missing or cut short is damage of the repository (exit 13); a store that does not answer
// is not.
Error as_damage(Error error, const std::string& object);

// How a pack ends. `tail`: its last bytes, from the footer on at the latest.
struct PackEnd {
  PackTrailer trailer;
  std::vector<FooterFrame> frames;
  Buffer tail;
};

// A chunk to be compared with its id.
struct ChunkCheck {
  std::uint32_t number = 0;  // of the frame
  ByteView frame;            // opened
  std::uint32_t offset = 0;
  std::uint64_t length = 0;
  ChunkId id{};
};

// What a thread keeps from one check to the next.
struct CheckScratch {
  std::vector<ByteView> chunks;
  std::vector<Digest> digests;
};

// A chunk that was compared with its id, and the frame that holds it.
struct StoredChunk {
  SharedFrame frame;
  std::uint32_t offset = 0, length = 0;
  ByteView bytes() const { return ByteView(*frame).subspan(offset, length); }
};

class FrameReader {
 public:
  // `cached_bytes_max`: of opened frames; the one used last is kept in any case.
  explicit FrameReader(const Core& core, std::size_t cached_bytes_max = 16 << 20)
      : core_(core), cached_bytes_max_(cached_bytes_max), finder_(core) {}

  // The whole chunk of an extent, wherever it lies by now; its frame goes through the cache.
  Result<StoredChunk> chunk(const std::string& pack, const Extent& extent);
  // The sealed bytes of a frame, opened; past the cache.
  Result<Buffer> open(const std::string& pack, std::uint32_t frame, ByteView sealed);
  // The same without a copy: decrypts `sealed` where it is; the result lies there or in `plain`.
  Result<ByteView> open(const std::string& pack, std::uint32_t frame, MutableBytes sealed,
                        Buffer& plain);
  // Sealed bytes of a pack.
  Status read(const std::string& pack, std::uint64_t offset, MutableBytes out);
  // Compares chunks of one pack with their ids, side by side. One that comes twice in a row is
  // hashed once.
  struct BadChunk {
    Error error;
    std::size_t number = 0;  // which of them
  };
  std::optional<BadChunk> check(const std::string& pack, std::span<const ChunkCheck> checks,
                                CheckScratch& scratch);
  // Where the chunk lies now when its pack was given up; nothing: where the extent says, or
  // nowhere.
  std::optional<MovedPlace> moved(const std::string& pack, const Extent& extent);
  // The chunk from wherever else it may be, for a reader that could not get or open its frame where
  // it should be; `why` is returned when nobody has it whole.
  Result<StoredChunk> elsewhere(const std::string& pack, const Extent& extent, const Error& why);
  // Trailer and footer, as a rule with one request.
  Result<PackEnd> end_of(const std::string& pack, std::uint64_t pack_size);

 private:
  Result<Buffer> open_at(const std::string& pack, const Extent& extent);
  std::optional<StoredChunk> cached(const std::string& pack, const Extent& extent);
  std::optional<StoredChunk> cached_anywhere(const std::string& pack, const Extent& extent);
  Result<StoredChunk> keep(const std::string& pack, const Extent& extent, Buffer frame);
  Result<StoredChunk> cut(const std::string& pack, const Extent& extent, SharedFrame frame);
  Result<PackTrailer> trailer(BlobStore& blobs, const std::string& pack);
  bool is_there(const std::string& pack);
  Result<Buffer> frame_in(BlobStore& blobs, const std::string& pack, const Extent& extent);
  Result<std::shared_ptr<const Aead>> find_key(const std::string& pack);
  Result<std::shared_ptr<const Aead>> key_of(const std::string& pack);

  const Core& core_;
  const std::size_t cached_bytes_max_;
  MovesFinder finder_;
  std::mutex mutex_;
  std::set<std::string> gone_;  // packs that were not there
  std::map<std::string, std::shared_ptr<const Aead>> keys_;
  using Place = std::pair<std::string, std::uint32_t>;
  std::list<std::pair<Place, SharedFrame>> recent_;
  std::map<Place, std::list<std::pair<Place, SharedFrame>>::iterator> cached_;
  std::size_t cached_bytes_ = 0;
};

}  // namespace lb::repo
