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

Result<MovedFrame> decode_frame(ByteReader& in, const Moved& moved, const MovedFrame* before) {
  MovedFrame out;
  auto gap = LB_TRY(small(in));
  std::uint64_t frame = std::uint64_t{gap} + (before != nullptr ? before->frame + 1 : 0);
  if (frame > 0xFFFFFFFF) return bad_moved("a number is too large");
  out.frame = static_cast<std::uint32_t>(frame);
  auto place = LB_TRY(small(in));
  if (place == 0) {
    if (before == nullptr) return bad_moved("the first frame lies behind none");
    out.pack = before->pack;
    out.number = before->number + 1;
    out.offset = before->offset + before->size;
  } else {
    out.pack = place - 1;
    out.number = LB_TRY(small(in));
    out.offset = LB_TRY(in.varint());
  }
  out.size = LB_TRY(small(in));
  bool inside = out.pack < moved.packs.size() && out.size <= 2 * frame_bytes_max &&
                out.offset <= moved.packs[out.pack].bytes &&
                out.size <= moved.packs[out.pack].bytes - out.offset;
  if (!inside) return bad_moved("a frame lies in no pack");
  return out;
}

Result<MovedPack> decode_from(ByteReader& in, const Moved& moved) {
  MovedPack out;
  out.name = LB_TRY(in.text(key_bytes_max));
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_moved("more frames than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto* before = out.frames.empty() ? nullptr : &out.frames.back();
    auto frame = LB_TRY(decode_frame(in, moved, before));
    out.frames.push_back(frame);
  }
  return out;
}

}  // namespace

const MovedPack* Moved::find(const std::string& pack) const {
  auto found = std::lower_bound(
      from.begin(), from.end(), pack,
      [](const MovedPack& each, const std::string& key) { return each.name < key; });
  return found != from.end() && found->name == pack ? &*found : nullptr;
}

const MovedFrame* Moved::find(const std::string& pack, std::uint32_t frame) const {
  const auto* old = find(pack);
  if (old == nullptr) return nullptr;
  auto found = std::lower_bound(
      old->frames.begin(), old->frames.end(), frame,
      [](const MovedFrame& each, std::uint32_t number) { return each.frame < number; });
  return found != old->frames.end() && found->frame == frame ? &*found : nullptr;
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
  for (const auto& [name, frames] : moved.from) {
    writer.text(name);
    writer.varint(frames.size());
    const MovedFrame* before = nullptr;
    for (const auto& frame : frames) {
      writer.varint(before != nullptr ? frame.frame - before->frame - 1 : frame.frame);
      bool behind = before != nullptr && lies_behind(frame, *before);
      writer.varint(behind ? 0 : std::uint64_t{frame.pack} + 1);
      if (!behind) writer.varint(frame.number);
      if (!behind) writer.varint(frame.offset);
      writer.varint(frame.size);
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
