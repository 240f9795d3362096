#include "storage/repo/content_stream.h"

#include <algorithm>

#include "storage/repo/session.h"

namespace lb::repo {

namespace {
constexpr std::size_t chunks_at_once = 16;
}

// Chunks are cut from the caller's bytes. Copied is only what is left over at the end, and with the
// next call as much as the chunks need that begin there.
Status Stream::write(ByteView bytes) {
  if (!waiting_.empty()) {
    auto before = waiting_.size();
    auto more = bytes.first(std::min(bytes.size(), chunk_bytes_max));
    waiting_.insert(waiting_.end(), more.begin(), more.end());
    auto starts = std::min(before, certain_starts(waiting_));
    auto used = LB_TRY(take_chunks(waiting_, starts));
    if (used < before) {  // and so all bytes were copied
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
      return {};
    }
    waiting_.clear();
    bytes = bytes.subspan(used - before);
  }
  auto used = LB_TRY(take_chunks(bytes, certain_starts(bytes)));
  waiting_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
  return {};
}

Status Stream::write_last(ByteView bytes) {
  if (!waiting_.empty()) return write(bytes);
  LB_TRY(take_chunks(bytes, bytes.size()));
  return {};
}

Status Stream::hole(std::uint64_t length) {
  if (length == 0) return {};
  LB_TRY(take_waiting());
  row_.size += length;
  if (!row_.extents.empty() && row_.extents.back().hole) {
    row_.extents.back().length += length;
  } else {
    row_.extents.push_back({length, true, {}});
  }
  return {};
}

Status Stream::finish(Buffer attributes) {
  LB_TRY(take_waiting());
  row_.attributes = std::move(attributes);
  return session_.add_row(std::move(row_), logical_bytes_);
}

std::size_t Stream::next_length(ByteView bytes) const {
  return cut_ == Cut::pages ? std::min(bytes.size(), page_chunk_bytes)
                            : session_.core().chunker.first(bytes);
}

// A chunk that starts before this place ends where it will end whatever follows the bytes.
std::size_t Stream::certain_starts(ByteView bytes) const {
  auto longest = cut_ == Cut::pages ? page_chunk_bytes : chunk_bytes_max;
  return bytes.size() < longest ? 0 : bytes.size() - longest + 1;
}

// Takes chunks from the front as long as they start before `starts`; returns the bytes taken.
Result<std::size_t> Stream::take_chunks(ByteView bytes, std::size_t starts) {
  std::vector<ByteView> chunks;
  std::size_t at = 0;
  while (at < starts) {
    auto rest = bytes.subspan(at);
    chunks.push_back(rest.first(next_length(rest)));
    at += chunks.back().size();
    if (chunks.size() == chunks_at_once) LB_TRY(store(chunks));
  }
  LB_TRY(store(chunks));
  return at;
}

Status Stream::store(std::vector<ByteView>& chunks) {
  if (chunks.empty()) return {};
  std::vector<ChunkId> ids(chunks.size());
  LB_TRY(session_.store_chunks(chunks, ids, true));
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    row_.extents.push_back({chunks[i].size(), false, ids[i]});
    row_.size += chunks[i].size();
    logical_bytes_ += chunks[i].size();
  }
  chunks.clear();
  return {};
}

Status Stream::take_waiting() {
  LB_TRY(take_chunks(waiting_, waiting_.size()));
  waiting_.clear();
  return {};
}

}  // namespace lb::repo
