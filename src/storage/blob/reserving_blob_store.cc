#include "storage/blob/reserving_blob_store.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb {

namespace {

// A collection puts on record each pack it condemns and deletes, and which points are forgotten:
// some megabytes where there are a hundred thousand packs.
constexpr std::uint64_t reserve_max = 64 << 20;
constexpr std::uint64_t reserve_share = 64;

}  // namespace

std::uint64_t reserve_of(std::uint64_t total) {
  return std::min(reserve_max, total / reserve_share);
}

Status ReservingBlobStore::check_room(const std::string& key, std::uint64_t writing) const {
  auto space = files_.space(folder_);
  if (!space.ok()) return {};  // the put itself says what is wrong
  auto reserve = reserve_of(space->total);
  if (space->available >= reserve && space->available - reserve >= writing) return {};
  return Error(ErrorKind::exhausted,
               cat("put ", key, " into ", describe(),
                   ": No space left for new content: ", human_size(space->available),
                   " free, of which ", human_size(reserve), " are kept so that prune can work"))
      .with_hint("lifeboat prune frees what no kept point needs; -n shows what that is");
}

Status ReservingBlobStore::put(const std::string& key, ByteView bytes) {
  // What other threads write at this moment may or may not be seen in the free space: it counts
  // twice rather than not at all.
  auto writing = writing_ += bytes.size();
  auto done = check_room(key, writing);
  if (done.ok()) done = inner_->put(key, bytes);
  writing_ -= bytes.size();
  return done;
}

}  // namespace lb
