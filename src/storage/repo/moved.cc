#include "storage/repo/moved.h"

#include <algorithm>

#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

namespace {

constexpr std::size_t key_bytes_max = 256;
constexpr std::size_t payload_bytes_max = 255 << 20;  // one sealed frame holds it
constexpr std::uint64_t pack_size_max = 0xFFFFFFFF;

Error bad_moved(const char* what) { return Error(ErrorKind::corrupt, what); }

template <std::size_t size>
Status read_into(ByteReader& in, std::array<std::uint8_t, size>& out) {
  auto bytes = LB_TRY(in.raw(size));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return {};
}

Status decode_looked(ByteReader& in, Moved& out) {
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_moved("more snapshots than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    auto session = LB_TRY(in.text(key_bytes_max));
    bool rising = out.looked.empty() || out.looked.rbegin()->first < session;
    if (!rising || !is_id(session) || session >= out.session) {
      return bad_moved("looked at what cannot have been there");
    }
    LB_TRY(read_into(in, out.looked[session]));
  }
  return {};
}

Status decode_packs(ByteReader& in, Moved& out) {
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_moved("more packs than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    StoredPack pack;
    pack.name = LB_TRY(in.text(key_bytes_max));
    pack.bytes = LB_TRY(in.varint());
    LB_TRY(read_into(in, pack.sha256));
    if (pack.bytes > pack_size_max) return bad_moved("a pack is too large");
    out.packs.push_back(std::move(pack));
  }
  return {};
}

Result<std::uint32_t> small(ByteReader& in) {
  auto value = LB_TRY(in.varint());
  if (value > 0xFFFFFFFF) return bad_moved("a number is too large");
  return static_cast<std::uint32_t>(value);
}

// As a rule frames come to lie one behind another: then size and gap say it all.
bool lies_behind(const MovedFrame& frame, const MovedFrame& before) {
  return frame.pack == before.pack && frame.number == before.number + 1 &&
         frame.offset == before.offset + before.size;
}

// And what is left of several in one.
bool lies_with(const MovedFrame& frame, const MovedFrame& before) {
  return !frame.whole() && frame.pack == before.pack && frame.number == before.number &&
         frame.offset == before.offset && frame.size == before.size;
}

// How a place is written: as one of these, or the position of the pack + elsewhere.
constexpr std::uint32_t behind = 0, with = 1, elsewhere = 2;

Status decode_place(ByteReader& in, const MovedFrame* before, MovedFrame& out) {
  auto place = LB_TRY(small(in));
  if (place < elsewhere && before == nullptr) return bad_moved("the first frame lies behind none");
  if (place == behind) {
    out.pack = before->pack;
    out.number = before->number + 1;
    out.offset = before->offset + before->size;
  } else if (place == with) {
    out.pack = before->pack;
    out.number = before->number;
    out.offset = before->offset;
    out.size = before->size;
    return {};
  } else {
    out.pack = place - elsewhere;
    out.number = LB_TRY(small(in));
    out.offset = LB_TRY(small(in));
  }
  out.size = LB_TRY(small(in));
  return {};
}

Status decode_runs(ByteReader& in, MovedFrame& frame, MovedPack& out) {
  frame.first_run = static_cast<std::uint32_t>(out.runs.size());
  frame.runs = LB_TRY(small(in));
  if (frame.runs > in.left()) return bad_moved("more runs than bytes");
  if (frame.whole()) return {};
  frame.base = LB_TRY(small(in));
  std::uint64_t end = 0, moved_end = frame.base;
  for (std::uint32_t i = 0; i < frame.runs; ++i) {
    auto gap = LB_TRY(small(in));
    auto length = LB_TRY(small(in));
    end += std::uint64_t{gap} + length;
    moved_end += length;
    if (length == 0 || end > frame_bytes_max || moved_end > frame_bytes_max) {
      return bad_moved("a run lies in no frame");
    }
    out.runs.push_back({static_cast<std::uint32_t>(end - length), length});
  }
  return {};
}

Status decode_frame(ByteReader& in, const Moved& moved, MovedPack& pack) {
  const auto* before = pack.frames.empty() ? nullptr : &pack.frames.back();
  MovedFrame out;
  auto gap = LB_TRY(small(in));
  std::uint64_t frame = std::uint64_t{gap} + (before != nullptr ? before->frame + 1 : 0);
  if (frame > 0xFFFFFFFF) return bad_moved("a number is too large");
  out.frame = static_cast<std::uint32_t>(frame);
  LB_TRY(decode_place(in, before, out));
  bool inside = out.pack < moved.packs.size() && out.size <= 2 * frame_bytes_max &&
                out.offset <= moved.packs[out.pack].bytes &&
                out.size <= moved.packs[out.pack].bytes - out.offset;
  if (!inside) return bad_moved("a frame lies in no pack");
  LB_TRY(decode_runs(in, out, pack));
  if (out.whole() && before != nullptr && out.number == before->number &&
      out.pack == before->pack) {
    return bad_moved("a whole frame is part of another");
  }
  pack.frames.push_back(out);
  return {};
}

Result<MovedPack> decode_from(ByteReader& in, const Moved& moved) {
  MovedPack out;
  out.name = LB_TRY(in.text(key_bytes_max));
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_moved("more frames than bytes");
  for (std::uint64_t i = 0; i < count; ++i) LB_TRY(decode_frame(in, moved, out));
  return out;
}

void encode_frame(ByteWriter& out, const MovedPack& pack, const MovedFrame& frame,
                  const MovedFrame* before) {
  out.varint(before != nullptr ? frame.frame - before->frame - 1 : frame.frame);
  bool is_with = before != nullptr && lies_with(frame, *before);
  bool is_behind = before != nullptr && !is_with && lies_behind(frame, *before);
  auto place = std::uint64_t{frame.pack} + elsewhere;
  if (is_with) place = with;
  if (is_behind) place = behind;
  out.varint(place);
  if (!is_with && !is_behind) out.varint(frame.number);
  if (!is_with && !is_behind) out.varint(frame.offset);
  if (!is_with) out.varint(frame.size);
  out.varint(frame.runs);
  if (!frame.whole()) out.varint(frame.base);
  std::uint32_t end = 0;
  for (const auto& run : pack.runs_of(frame)) {
    out.varint(run.offset - end);
    out.varint(run.length);
    end = run.offset + run.length;
  }
}

}  // namespace

const MovedPack* Moved::find(const std::string& pack) const {
  auto found = std::lower_bound(
      from.begin(), from.end(), pack,
      [](const MovedPack& each, const std::string& key) { return each.name < key; });
  return found != from.end() && found->name == pack ? &*found : nullptr;
}

const MovedFrame* MovedPack::find(std::uint32_t frame) const {
  auto found = std::lower_bound(
      frames.begin(), frames.end(), frame,
      [](const MovedFrame& each, std::uint32_t number) { return each.frame < number; });
  return found != frames.end() && found->frame == frame ? &*found : nullptr;
}

std::span<const MovedRun> MovedPack::runs_of(const MovedFrame& frame) const {
  return std::span(runs).subspan(frame.first_run, frame.runs);
}

std::optional<std::uint32_t> MovedPack::offset_in(const MovedFrame& frame, std::uint32_t offset,
                                                  std::uint64_t length) const {
  if (frame.whole()) return offset;
  auto base = frame.base;
  for (const auto& run : runs_of(frame)) {
    if (run.offset <= offset && offset + length <= std::uint64_t{run.offset} + run.length) {
      return base + (offset - run.offset);
    }
    base += run.length;
  }
  return std::nullopt;
}

Buffer encode_moved(const Moved& moved) {
  Buffer out;
  ByteWriter writer(out);
  writer.varint(moved.looked.size());
  for (const auto& [session, mark] : moved.looked) {
    writer.text(session);
    writer.raw(mark);
  }
  writer.varint(moved.packs.size());
  for (const auto& pack : moved.packs) {
    writer.text(pack.name);
    writer.varint(pack.bytes);
    writer.raw(pack.sha256);
  }
  writer.varint(moved.from.size());
  for (const auto& pack : moved.from) {
    writer.text(pack.name);
    writer.varint(pack.frames.size());
    const MovedFrame* before = nullptr;
    for (const auto& frame : pack.frames) {
      encode_frame(writer, pack, frame, before);
      before = &frame;
    }
  }
  return out;
}

Result<Moved> decode_moved(const std::string& session, ByteView bytes) {
  ByteReader in(bytes);
  Moved out;
  out.session = session;
  LB_TRY(decode_looked(in, out));
  LB_TRY(decode_packs(in, out));
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_moved("more packs than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    auto pack = LB_TRY(decode_from(in, out));
    bool rising = out.from.empty() || out.from.back().name < pack.name;
    if (!rising) return bad_moved("packs are out of order");
    out.from.push_back(std::move(pack));
  }
  if (!in.done()) return bad_moved("goes on after its end");
  return out;
}

Result<Buffer> seal_moved(const Keyring& keys, Random& random, const Moved& moved) {
  auto key = verdict_key(moved.session);
  Verdict verdict;
  verdict.state = VerdictState::moved;
  auto payload = encode_moved(moved);
  if (payload.size() > payload_bytes_max) {
    return Error(ErrorKind::exhausted, "more frames were moved than one verdict can name");
  }
  Buffer frame;
  ByteWriter out(frame);
  out.raw(care_mark(keys, key, payload));
  out.raw(payload);
  auto head = encode_head(verdict);
  return seal_object(keys, random, SealFor::readers, key, {head, frame});
}

Result<Moved> open_moved(const Keyring& keys, const std::string& session, ByteView frame) {
  ByteReader in(frame);
  auto mark = LB_TRY(in.raw(sizeof(Digest)));
  auto payload = LB_TRY(in.raw(in.left()));
  if (!equal_constant_time(mark, care_mark(keys, verdict_key(session), payload))) {
    return bad_moved("was not made by a holder of the repository's private key");
  }
  return decode_moved(session, payload);
}

}  // namespace lb::repo
