#include "storage/repo/frame_reader.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/heal.h"

namespace lb::repo {

namespace {

constexpr std::size_t keys_max = 4096;
constexpr std::uint64_t tail_bytes = 64 << 10;  // holds the footers of nearly all packs

Error too_short(const std::string& pack) {
  return Error(ErrorKind::corrupt, cat("object ", pack, " is too short for a pack"))
      .with_exit(ExitCode::damaged);
}

Error wrong_chunk(const std::string& pack, std::uint32_t frame) {
  return Error(ErrorKind::corrupt,
               cat("object ", pack, ": frame ", frame, " does not hold the chunk it should"))
      .with_exit(ExitCode::damaged);
}

bool is_inside(std::uint32_t offset, std::uint64_t length, ByteView frame) {
  return offset <= frame.size() && length <= frame.size() - offset;
}

bool same_place(const ChunkCheck& a, const ChunkCheck& b) {
  return a.frame.data() == b.frame.data() && a.offset == b.offset && a.length == b.length;
}

}  // namespace

Error as_damage(Error error, const std::string& object) {
  if (error.kind() == ErrorKind::not_found) {
    error = Error(ErrorKind::corrupt, cat("object ", object, " is missing from the repository"));
  }
  if (error.kind() != ErrorKind::corrupt) return error;
  return std::move(error).with_exit(ExitCode::damaged).with_hint("run lifeboat verify");
}

Digest chunk_digest(const Core& core, ByteView bytes) { return core.id_mac.of(bytes); }

ChunkId chunk_id(const Core& core, ByteView bytes) { return short_id(chunk_digest(core, bytes)); }

std::string fresh_session_id(const Core& core) {
  IdBytes fresh;
  core.random.fill(fresh);
  auto now = static_cast<std::uint64_t>(to_micros(core.clock.now()) / 1000);
  for (std::size_t i = 0; i < 6; ++i) fresh[i] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  auto last = core.ids->lock();
  bool same_moment = std::equal(fresh.begin(), fresh.begin() + 6, last->begin());
  if (same_moment || fresh < *last) {
    fresh = *last;
    for (std::size_t i = fresh.size(); i-- > 0;) {
      if (++fresh[i] != 0) break;
    }
  }
  *last = fresh;
  return id_text(fresh);
}

void follow_session_id(const Core& core, const std::string& session) {
  auto last = core.ids->lock();
  *last = std::max(*last, parse_id(session));
}

// not_found: the pack is not there.
Result<PackTrailer> FrameReader::trailer(BlobStore& blobs, const std::string& pack) {
  auto bytes = LB_TRY(blobs.get_tail(pack, pack_trailer_bytes));
  if (bytes.size() < pack_trailer_bytes) return too_short(pack);
  return open_trailer(core_.keys, pack, bytes);
}

Result<PackEnd> FrameReader::end_of(const std::string& pack, std::uint64_t pack_size) {
  if (pack_size < pack_trailer_bytes + pack_header_bytes) return too_short(pack);
  auto read_tail = [&](std::uint64_t size) -> Result<Buffer> {
    auto bytes = core_.blobs.get_range(pack, pack_size - size, size);
    if (!bytes.ok()) return as_damage(std::move(bytes).take_error(), pack);
    return bytes;
  };
  PackEnd out;
  out.tail = LB_TRY(read_tail(std::min(pack_size, tail_bytes)));
  out.trailer = LB_TRY(open_trailer(core_.keys, pack, ByteView(out.tail).last(pack_trailer_bytes)));
  std::uint64_t wanted = std::uint64_t{out.trailer.footer_bytes} + pack_trailer_bytes;
  if (wanted > pack_size - pack_header_bytes) return too_short(pack);
  if (wanted > out.tail.size()) out.tail = LB_TRY(read_tail(wanted));
  auto footer = ByteView(out.tail).last(wanted).first(out.trailer.footer_bytes);
  out.frames = LB_TRY(open_footer(core_.keys, out.trailer, pack, footer));
  return out;
}

// not_found: the pack is not there.
Result<std::shared_ptr<const Aead>> FrameReader::find_key(const std::string& pack) {
  {
    std::lock_guard lock(mutex_);
    auto found = keys_.find(pack);
    if (found != keys_.end()) return found->second;
  }
  auto end = LB_TRY(trailer(core_.blobs, pack));
  std::lock_guard lock(mutex_);
  // Readers go through packs in their order: what was used long ago is hardly asked for again.
  if (keys_.size() >= keys_max) keys_.clear();
  return keys_.try_emplace(pack, end.aead).first->second;
}

Result<std::shared_ptr<const Aead>> FrameReader::key_of(const std::string& pack) {
  auto key = find_key(pack);
  if (!key.ok()) return as_damage(std::move(key).take_error(), pack);
  return key;
}

// True also when the store does not say: then reading tells.
bool FrameReader::is_there(const std::string& pack) {
  {
    std::lock_guard lock(mutex_);
    if (gone_.contains(pack)) return false;
  }
  auto key = find_key(pack);
  if (key.ok() || key.error().kind() != ErrorKind::not_found) return true;
  std::lock_guard lock(mutex_);
  gone_.insert(pack);
  return false;
}

std::optional<MovedPlace> FrameReader::moved(const std::string& pack, const Extent& extent) {
  if (is_there(pack)) return std::nullopt;
  return finder_.find(pack, extent, [&](const MovedPlace& place) { return is_there(place.pack); });
}

Result<Buffer> FrameReader::open(const std::string& pack, std::uint32_t frame, ByteView sealed) {
  auto key = LB_TRY(key_of(pack));
  return open_frame(core_.keys, *key, pack, frame, sealed);
}

Result<ByteView> FrameReader::open(const std::string& pack, std::uint32_t frame,
                                   MutableBytes sealed, Buffer& room) {
  auto key = LB_TRY(key_of(pack));
  auto form = LB_TRY(open_form(core_.keys, *key, pack, frame, sealed));
  auto plain = from_frame_form(form, frame_bytes_max, room);
  if (plain.ok()) return plain;
  return Error(ErrorKind::corrupt,
               cat("object ", pack, ": frame ", frame, ": ", plain.error().message()))
      .with_exit(ExitCode::damaged);
}

Status FrameReader::read(const std::string& pack, std::uint64_t offset, MutableBytes out) {
  auto done = core_.blobs.get_range_into(pack, offset, out);
  if (!done.ok()) return as_damage(std::move(done).take_error(), pack);
  return {};
}

std::optional<FrameReader::BadChunk> FrameReader::check(const std::string& pack,
                                                        std::span<const ChunkCheck> checks,
                                                        CheckScratch& scratch) {
  scratch.chunks.clear();
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const auto& [number, frame, offset, length, id] = checks[i];
    if (!is_inside(offset, length, frame)) return BadChunk{wrong_chunk(pack, number), i};
    if (i > 0 && same_place(checks[i], checks[i - 1])) continue;
    scratch.chunks.push_back(frame.subspan(offset, length));
  }
  scratch.digests.resize(scratch.chunks.size());
  core_.id_mac.of_many(scratch.chunks, scratch.digests);
  std::size_t digest = 0;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (i > 0 && !same_place(checks[i], checks[i - 1])) ++digest;
    if (short_id(scratch.digests[digest]) == checks[i].id) continue;
    return BadChunk{wrong_chunk(pack, checks[i].number), i};
  }
  return std::nullopt;
}

Result<Buffer> FrameReader::open_at(const std::string& pack, const Extent& extent) {
  auto sealed = core_.blobs.get_range(pack, extent.frame_offset, extent.frame_size);
  if (!sealed.ok()) return as_damage(std::move(sealed).take_error(), pack);
  return open(pack, extent.frame, *sealed);
}

Result<StoredChunk> FrameReader::cut(const std::string& pack, const Extent& extent,
                                     SharedFrame frame) {
  auto length = extent.chunk_bytes();
  if (!is_inside(extent.offset, length, *frame)) return wrong_chunk(pack, extent.frame);
  StoredChunk out{std::move(frame), extent.offset, static_cast<std::uint32_t>(length)};
  if (chunk_id(core_, out.bytes()) != extent.id) return wrong_chunk(pack, extent.frame);
  return out;
}

std::optional<StoredChunk> FrameReader::cached(const std::string& pack, const Extent& extent) {
  SharedFrame frame;
  {
    std::lock_guard lock(mutex_);
    auto found = cached_.find({pack, extent.frame});
    if (found == cached_.end()) return std::nullopt;
    recent_.splice(recent_.begin(), recent_, found->second);
    frame = found->second->second;
  }
  auto chunk = cut(pack, extent, std::move(frame));
  if (!chunk.ok()) return std::nullopt;
  return std::move(chunk).take();
}

// Under its own name, or under that of a place it was moved to.
std::optional<StoredChunk> FrameReader::cached_anywhere(const std::string& pack,
                                                        const Extent& extent) {
  if (auto chunk = cached(pack, extent)) return chunk;
  for (const auto& place : finder_.known(pack, extent)) {
    if (auto chunk = cached(place.pack, place.of(extent))) return chunk;
  }
  return std::nullopt;
}

// Cuts the chunk from a frame that was opened, which goes into the cache when it has it.
Result<StoredChunk> FrameReader::keep(const std::string& pack, const Extent& extent, Buffer frame) {
  auto shared = std::make_shared<const Buffer>(std::move(frame));
  auto chunk = LB_TRY(cut(pack, extent, shared));
  std::lock_guard lock(mutex_);
  Place place{pack, extent.frame};
  if (cached_.contains(place)) return chunk;
  recent_.emplace_front(place, shared);
  cached_[place] = recent_.begin();
  cached_bytes_ += shared->size();
  while (cached_bytes_ > cached_bytes_max_ && recent_.size() > 1) {
    cached_bytes_ -= recent_.back().second->size();
    cached_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return chunk;
}

Result<StoredChunk> FrameReader::chunk(const std::string& pack, const Extent& extent) {
  if (auto chunk = cached_anywhere(pack, extent)) return std::move(*chunk);
  auto place = moved(pack, extent);
  const auto& where = place ? place->pack : pack;
  auto at = place ? place->of(extent) : extent;
  auto opened = open_at(where, at);
  if (opened.ok()) return keep(where, at, std::move(opened).take());
  return elsewhere(pack, extent, opened.error());
}

// `pack` may have been given up while we read, or a place it was moved to since.
Result<StoredChunk> FrameReader::elsewhere(const std::string& pack, const Extent& extent,
                                           const Error& why) {
  if (!may_be_elsewhere(why)) return why;
  if (auto chunk = cached_anywhere(pack, extent)) return std::move(*chunk);
  std::optional<StoredChunk> found;
  (void)finder_.find(pack, extent, [&](const MovedPlace& candidate) {
    auto opened = open_at(candidate.pack, candidate.of(extent));
    if (!opened.ok()) return false;
    auto chunk = keep(candidate.pack, candidate.of(extent), std::move(opened).take());
    if (chunk.ok()) found = std::move(chunk).take();
    return found.has_value();
  });
  if (found) return std::move(*found);
  auto places = finder_.known(pack, extent);
  places.insert(places.begin(),
                {pack, extent.frame, extent.frame_offset, extent.frame_size, extent.offset});
  for (std::size_t number = 0; auto* copy = core_.blobs.copy(number); ++number) {
    for (const auto& candidate : places) {
      auto at = candidate.of(extent);
      auto opened = frame_in(*copy, candidate.pack, at);
      if (!opened.ok()) continue;
      auto chunk = keep(candidate.pack, at, std::move(opened).take());
      if (!chunk.ok()) continue;
      core_.blobs.healed(candidate.pack, number);
      return chunk;
    }
  }
  return why;
}

// Past all caches: trailer, frame.
Result<Buffer> FrameReader::frame_in(BlobStore& blobs, const std::string& pack,
                                     const Extent& extent) {
  auto end = LB_TRY(trailer(blobs, pack));
  auto sealed = LB_TRY(blobs.get_range(pack, extent.frame_offset, extent.frame_size));
  return open_frame(core_.keys, *end.aead, pack, extent.frame, sealed);
}

}  // namespace lb::repo
