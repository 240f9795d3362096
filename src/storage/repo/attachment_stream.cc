#include "storage/repo/attachment_stream.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/session.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

// Cut where attach() cuts, so that the same bytes give the same chunks.
Status SessionAttachment::write(ByteView bytes) {
  while (!bytes.empty()) {
    auto part = bytes.first(std::min(bytes.size(), chunk_bytes_max - waiting_.size()));
    waiting_.insert(waiting_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    if (waiting_.size() == chunk_bytes_max) LB_TRY(store());
  }
  return {};
}

Status SessionAttachment::store() {
  auto stored = LB_TRY(session_.store_bytes(waiting_));
  extents_.insert(extents_.end(), stored.begin(), stored.end());
  bytes_ += waiting_.size();
  waiting_.clear();
  return {};
}

Status SessionAttachment::finish() {
  LB_TRY(store());
  session_.add_attachment(name_, std::move(extents_), bytes_);
  return {};
}

StoredAttachment::StoredAttachment(const StoredSnapshot& snapshot, const Attachment& attachment)
    : snapshot_(snapshot), attachment_(attachment), frames_(snapshot.core(), frame_bytes_max) {}

Result<ByteView> StoredAttachment::next() {
  if (extent_ == attachment_.extents.size()) {
    LB_TRY(snapshot_.check_bytes(given_, attachment_.bytes));
    return ByteView();
  }
  const auto& extent = attachment_.extents[extent_++];
  auto pack = LB_TRY(snapshot_.pack_of(extent));
  chunk_ = LB_TRY(frames_.chunk(pack, extent));
  given_ += chunk_.length;
  return chunk_.bytes();
}

}  // namespace lb::repo
