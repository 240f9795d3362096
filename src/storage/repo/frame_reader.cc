#include "storage/repo/frame_reader.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/heal.h"

namespace lb::repo {

namespace {

constexpr std::size_t cached_bytes_max = 16 << 20;
constexpr std::size_t keys_max = 4096;
constexpr std::uint64_t tail_bytes = 64 << 10;  // holds the footers of nearly all packs

Error too_short(const std::string& pack) {
  return Error(ErrorKind::corrupt, cat("object ", pack, " is too short for a pack"))
      .with_exit(ExitCode::damaged);
}

Error wrong_chunk(const std::string& pack, const Extent& extent) {
  return Error(ErrorKind::corrupt,
               cat("object ", pack, ": frame ", extent.frame, " does not hold the chunk it should"))
      .with_exit(ExitCode::damaged);
}

bool is_inside(const Extent& extent, ByteView frame) {
  return extent.offset <= frame.size() && extent.length <= frame.size() - extent.offset;
}

bool same_place(const Extent& a, const Extent& b) {
  return a.offset == b.offset && a.length == b.length;
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
  return finder_.find(pack, extent.frame,
                      [&](const MovedPlace& place) { return is_there(place.pack); });
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
  auto again = [&](std::size_t i) {
    return i > 0 && checks[i].frame.data() == checks[i - 1].frame.data() &&
           same_place(*checks[i].extent, *checks[i - 1].extent);
  };
  scratch.chunks.clear();
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const auto& extent = *checks[i].extent;
    if (!is_inside(extent, checks[i].frame)) return BadChunk{wrong_chunk(pack, extent), i};
    if (!again(i)) scratch.chunks.push_back(checks[i].frame.subspan(extent.offset, extent.length));
  }
  scratch.digests.resize(scratch.chunks.size());
  core_.id_mac.of_many(scratch.chunks, scratch.digests);
  std::size_t number = 0;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (i > 0 && !again(i)) ++number;
    if (short_id(scratch.digests[number]) == checks[i].extent->id) continue;
    return BadChunk{wrong_chunk(pack, *checks[i].extent), i};
  }
  return std::nullopt;
}

Result<Buffer> FrameReader::open_at(const std::string& pack, const Extent& extent) {
  auto sealed = core_.blobs.get_range(pack, extent.frame_offset, extent.frame_size);
  if (!sealed.ok()) return as_damage(std::move(sealed).take_error(), pack);
  return open(pack, extent.frame, *sealed);
}

Result<Buffer> FrameReader::open_anywhere(const std::string& pack, const Extent& extent) {
  auto place = moved(pack, extent);
  auto opened = place ? open_at(place->pack, place->of(extent)) : open_at(pack, extent);
  if (opened.ok()) return opened;
  return elsewhere(pack, extent, std::move(opened).take_error());
}

// `pack` may have been given up while we read, or a place it was moved to since.
Result<Buffer> FrameReader::elsewhere(const std::string& pack, const Extent& extent, Error why) {
  if (!may_be_elsewhere(why)) return why;
  std::optional<Buffer> found;
  (void)finder_.find(pack, extent.frame, [&](const MovedPlace& candidate) {
    auto opened = open_at(candidate.pack, candidate.of(extent));
    if (opened.ok()) found = std::move(opened).take();
    return found.has_value();
  });
  if (found) return std::move(*found);
  std::vector<MovedPlace> places = finder_.known(pack, extent.frame);
  places.insert(places.begin(), {pack, extent.frame, extent.frame_offset, extent.frame_size});
  for (std::size_t number = 0; auto* copy = core_.blobs.copy(number); ++number) {
    for (const auto& candidate : places) {
      auto opened = frame_in(*copy, candidate.pack, candidate.of(extent));
      if (!opened.ok()) continue;
      core_.blobs.healed(candidate.pack, number);
      return opened;
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

Result<SharedFrame> FrameReader::frame(const std::string& pack, const Extent& extent) {
  Place place{pack, extent.frame};
  {
    std::lock_guard lock(mutex_);
    auto found = cached_.find(place);
    if (found != cached_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->second;
    }
  }
  auto opened = LB_TRY(open_anywhere(pack, extent));
  auto shared = std::make_shared<const Buffer>(std::move(opened));
  std::lock_guard lock(mutex_);
  if (cached_.contains(place)) return shared;
  recent_.emplace_front(place, shared);
  cached_[place] = recent_.begin();
  cached_bytes_ += shared->size();
  while (cached_bytes_ > cached_bytes_max && recent_.size() > 1) {
    cached_bytes_ -= recent_.back().second->size();
    cached_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return shared;
}

Result<ByteView> FrameReader::chunk(const std::string& pack, const Extent& extent, ByteView frame) {
  if (is_inside(extent, frame)) {
    auto bytes = frame.subspan(extent.offset, extent.length);
    if (chunk_id(core_, bytes) == extent.id) return bytes;
  }
  return wrong_chunk(pack, extent);
}

}  // namespace lb::repo
