#include "storage/repo/pack_format.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"

namespace lb::repo {

namespace {

constexpr std::string_view header_magic = "LBPACK1\n";
constexpr std::string_view trailer_magic = "LBPT";
constexpr std::size_t box_bytes = 32 + sealed_box_overhead_bytes;
constexpr std::size_t check_bytes = 24;
constexpr std::uint32_t footer_frame = 0xFFFFFFFF;

Error bad(const std::string& pack, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", pack, ": ", what)).with_exit(ExitCode::damaged);
}

Buffer aad_of(const Keyring& keys, const std::string& pack, std::uint32_t frame) {
  Buffer aad;
  ByteWriter out(aad);
  out.text(keys.repository_id);
  out.text(pack);
  out.u32(frame);
  return aad;
}

std::shared_ptr<const Aead> key_from(const Keyring& keys, const Secret& inner) {
  auto info = cat("lifeboat pack ", keys.repository_id);
  return std::make_shared<const Aead>(
      hkdf_sha256(inner.bytes(), keys.write_key.bytes(), view_of(info)));
}

}  // namespace

ByteView pack_header() { return view_of(header_magic); }

PackKey make_pack_key(const Keyring& keys, Random& random) {
  PackKey out;
  out.inner = Secret(ByteView(random.bytes(32)));
  out.box_seed = Secret(ByteView(random.bytes(32)));
  out.aead = key_from(keys, out.inner);
  return out;
}

void seal_frame(const Keyring& keys, const Aead& key, const std::string& pack, std::uint32_t frame,
                const FormParts& form, MutableBytes out) {
  key.seal_into(frame_nonce(frame), aad_of(keys, pack, frame), form.head, form.data, out);
}

Result<Buffer> open_frame(const Keyring& keys, const Aead& key, const std::string& pack,
                          std::uint32_t frame, ByteView sealed) {
  auto form = key.open(frame_nonce(frame), aad_of(keys, pack, frame), sealed);
  if (!form.ok()) return bad(pack, cat("frame ", frame, " does not authenticate"));
  auto plain = from_frame_form(*form, frame_bytes_max);
  if (!plain.ok()) return bad(pack, cat("frame ", frame, ": ", plain.error().message()));
  return plain;
}

Result<MutableBytes> open_form(const Keyring& keys, const Aead& key, const std::string& pack,
                               std::uint32_t frame, MutableBytes sealed) {
  auto form = key.open_in_place(frame_nonce(frame), aad_of(keys, pack, frame), sealed);
  if (!form.ok()) return bad(pack, cat("frame ", frame, " does not authenticate"));
  return form;
}

Buffer seal_footer(const Keyring& keys, const PackKey& key, const std::string& pack,
                   std::uint64_t footer_offset, const std::vector<FooterFrame>& frames) {
  Buffer plain;
  ByteWriter writer(plain);
  writer.varint(frames.size());
  for (const auto& frame : frames) {
    writer.varint(frame.offset);
    writer.varint(frame.sealed_bytes);
    writer.varint(frame.plain_bytes);
    writer.varint(frame.chunks.size());
    for (const auto& chunk : frame.chunks) {
      writer.raw(chunk.id);
      writer.varint(chunk.offset);
      writer.varint(chunk.length);
    }
  }
  Buffer out;
  key.aead->seal(frame_nonce(footer_frame), aad_of(keys, pack, footer_frame), {}, plain, out);
  auto footer_size = static_cast<std::uint32_t>(out.size());
  Buffer trailer;
  ByteWriter end(trailer);
  end.raw(seal_box(keys.public_key, key.inner.bytes(), key.box_seed.clone()));
  end.u64(footer_offset);
  end.u32(footer_size);
  end.u32(0);  // key epoch
  end.raw(view_of(trailer_magic));
  end.u32(0);
  auto check = sha256(trailer);
  end.raw(ByteView(check).first(check_bytes));
  LB_ASSERT(trailer.size() == pack_trailer_bytes);
  out.insert(out.end(), trailer.begin(), trailer.end());
  return out;
}

Result<PackTrailer> open_trailer(const Keyring& keys, const std::string& pack, ByteView trailer) {
  if (trailer.size() != pack_trailer_bytes) return bad(pack, "trailer is cut short");
  auto body = trailer.first(pack_trailer_bytes - check_bytes);
  auto check = sha256(body);
  if (!equal_constant_time(ByteView(check).first(check_bytes), trailer.last(check_bytes))) {
    return bad(pack, "trailer is damaged");
  }
  ByteReader in(body);
  auto box = LB_TRY(in.raw(box_bytes));
  PackTrailer out;
  out.footer_offset = LB_TRY(in.u64());
  out.footer_bytes = LB_TRY(in.u32());
  auto epoch = LB_TRY(in.u32());
  auto magic = LB_TRY(in.raw(trailer_magic.size()));
  if (epoch != 0 || text_of(magic) != trailer_magic)
    return bad(pack, "trailer is of an unknown form");
  if (!keys.may_read()) return may_not_read();
  auto inner = open_box(keys.private_key, keys.public_key, box);
  if (!inner.ok()) return bad(pack, inner.error().message());
  out.aead = key_from(keys, *inner);
  return out;
}

Result<std::vector<FooterFrame>> open_footer(const Keyring& keys, const PackTrailer& trailer,
                                             const std::string& pack, ByteView sealed) {
  auto plain =
      trailer.aead->open(frame_nonce(footer_frame), aad_of(keys, pack, footer_frame), sealed);
  if (!plain.ok()) return bad(pack, "footer does not authenticate");
  auto frames = decode_footer(*plain);
  if (!frames.ok()) return bad(pack, cat("footer: ", frames.error().message()));
  return frames;
}

Result<std::vector<FooterFrame>> decode_footer(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<FooterFrame> out;
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    FooterFrame frame;
    frame.offset = LB_TRY(in.varint());
    auto sealed = LB_TRY(in.varint());
    auto plain = LB_TRY(in.varint());
    auto chunks = LB_TRY(in.varint());
    if (sealed > 2 * frame_bytes_max || plain > frame_bytes_max || frame.offset > (1ull << 40)) {
      return Error(ErrorKind::corrupt, cat("frame ", i, " has impossible sizes"));
    }
    frame.sealed_bytes = static_cast<std::uint32_t>(sealed);
    frame.plain_bytes = static_cast<std::uint32_t>(plain);
    for (std::uint64_t c = 0; c < chunks; ++c) {
      FooterChunk chunk;
      auto id = LB_TRY(in.raw(chunk.id.size()));
      std::copy(id.begin(), id.end(), chunk.id.begin());
      auto offset = LB_TRY(in.varint());
      auto length = LB_TRY(in.varint());
      if (offset > plain || length > plain - offset)
        return Error(ErrorKind::corrupt, cat("chunk outside frame ", i));
      chunk.offset = static_cast<std::uint32_t>(offset);
      chunk.length = static_cast<std::uint32_t>(length);
      frame.chunks.push_back(chunk);
    }
    out.push_back(std::move(frame));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

}  // namespace lb::repo
