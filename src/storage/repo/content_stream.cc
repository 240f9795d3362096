#include "storage/repo/content_stream.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/session.h"

namespace lb::repo {

namespace {

constexpr std::size_t chunks_at_once = 16;

Extent part_of(const Extent& extent, std::uint64_t from, std::uint64_t length) {
  auto out = extent;
  out.length = length;
  if (extent.hole || length == extent.length) return out;
  out.skip = extent.skip + static_cast<std::uint32_t>(from);
  out.chunk_length = static_cast<std::uint32_t>(extent.chunk_bytes());
  return out;
}

// Makes one of two neighbours that were one before.
bool join(DraftExtent& last, const DraftExtent& next) {
  if (last.hole != next.hole) return false;
  bool follows = last.id == next.id && last.is_part() && next.is_part() &&
                 last.chunk_length == next.chunk_length && last.skip + last.length == next.skip;
  if (!last.hole && !follows) return false;
  last.length += next.length;
  if (last.hole || last.length != last.chunk_length) return true;
  last.skip = last.chunk_length = 0;
  return true;
}

}  // namespace

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

Status Stream::reuse(const Row& parent_row, std::uint64_t offset, std::uint64_t length) {
  LB_TRY(take_waiting());
  if (offset > parent_row.size || length > parent_row.size - offset) {
    return Error(ErrorKind::invalid,
                 cat("'", printable_key(parent_row.key), "' has ", parent_row.size, " bytes"));
  }
  if (reused_ != &parent_row || offset < reused_at_) reused_extent_ = reused_at_ = 0;
  reused_ = &parent_row;
  for (; length > 0; ++reused_extent_) {
    if (reused_extent_ == parent_row.extents.size())
      return Error(ErrorKind::corrupt, "a row's extents do not add up")
          .with_exit(ExitCode::damaged);
    const auto& extent = parent_row.extents[reused_extent_];
    auto skip = offset - reused_at_;
    if (skip < extent.length) {
      auto part = std::min(extent.length - skip, length);
      append(LB_TRY(session_.reuse(part_of(extent, skip, part), row_.key)));
      offset += part;
      length -= part;
      if (skip + part < extent.length) return {};
    }
    reused_at_ += extent.length;
  }
  return {};
}

Status Stream::write_apart(ByteView bytes) {
  LB_TRY(take_waiting());
  if (apart_.size() + bytes.size() > page_chunk_bytes) LB_TRY(store_apart());
  auto offset = apart_.size();
  apart_.insert(apart_.end(), bytes.begin(), bytes.end());
  row_.size += bytes.size();
  logical_bytes_ += bytes.size();
  bool joins = !gathered_.empty() && gathered_.back().extent + 1 == row_.extents.size();
  if (joins) {
    row_.extents.back().length += bytes.size();
    return {};
  }
  gathered_.push_back({row_.extents.size(), offset});
  row_.extents.push_back({bytes.size(), false, {}});
  return {};
}

// Now that it is full, or the row ends, the chunk has a name.
Status Stream::store_apart() {
  if (apart_.empty()) return {};
  ByteView chunk(apart_);
  ChunkId id;
  LB_TRY(session_.store_chunks({&chunk, 1}, {&id, 1}, Session::Kind::pages));
  for (const auto& [number, offset] : gathered_) {
    auto& extent = row_.extents[number];
    extent.id = id;
    if (extent.length == apart_.size()) continue;
    extent.skip = static_cast<std::uint32_t>(offset);
    extent.chunk_length = static_cast<std::uint32_t>(apart_.size());
  }
  gathered_.clear();
  apart_.clear();
  return {};
}

// Joins what goes on where the row's last extent ends.
void Stream::append(const DraftExtent& extent) {
  row_.size += extent.length;
  if (!extent.hole) logical_bytes_ += extent.length;
  bool waits = !gathered_.empty() && gathered_.back().extent + 1 == row_.extents.size();
  if (row_.extents.empty() || waits || !join(row_.extents.back(), extent)) {
    row_.extents.push_back(extent);
  }
}

Status Stream::finish(Buffer attributes) {
  LB_TRY(store_apart());
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
  auto kind = cut_ == Cut::pages ? Session::Kind::pages : Session::Kind::cut;
  LB_TRY(session_.store_chunks(chunks, ids, kind));
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
