#include "storage/repo/frame_form.h"

#include <array>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/zstd.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

// One for each thread: a compressor costs more to make than a small frame to compress.
Compressor& compressor() {
  thread_local Compressor own(zstd_level);
  return own;
}

struct FormRoom {
  std::array<std::uint8_t, 5> head{};
  Buffer data;  // grows when it must, and keeps what it has
};

FormParts parts_of(ByteView plain, FormRoom& room) {
  auto needed = shrink_room(plain.size());
  if (room.data.size() < needed) room.data.resize(needed);
  auto size = compressor().shrink(plain, room.data);
  room.head[0] = size > 0 ? 1 : 0;
  for (std::size_t i = 0; i < 4; ++i) {
    room.head[1 + i] = static_cast<std::uint8_t>(plain.size() >> (8 * i));
  }
  return {room.head, size > 0 ? ByteView(room.data).first(size) : plain};
}

}  // namespace

FormParts frame_form_of(ByteView plain) {
  LB_ASSERT(plain.size() <= frame_bytes_max);
  thread_local FormRoom room;
  return parts_of(plain, room);
}

Buffer to_frame_form(ByteView plain) {
  FormRoom room;
  auto [head, data] = parts_of(plain, room);
  Buffer form;
  form.reserve(head.size() + data.size());
  form.insert(form.end(), head.begin(), head.end());
  form.insert(form.end(), data.begin(), data.end());
  return form;
}

namespace {

struct Form {
  bool compressed = false;
  std::uint32_t plain_bytes = 0;
  ByteView data;
};

Result<Form> parse(ByteView form, std::size_t plain_bytes_max) {
  ByteReader in(form);
  auto compression = LB_TRY(in.u8());
  auto size = LB_TRY(in.u32());
  if (size > plain_bytes_max) return Error(ErrorKind::corrupt, "frame too large");
  auto data = LB_TRY(in.raw(in.left()));
  if (compression > 1 || (compression == 0 && data.size() != size)) {
    return Error(ErrorKind::corrupt, "unknown frame form");
  }
  return Form{compression == 1, size, data};
}

}  // namespace

Result<Buffer> from_frame_form(ByteView form, std::size_t plain_bytes_max) {
  auto parsed = LB_TRY(parse(form, plain_bytes_max));
  if (parsed.compressed) return decompress(parsed.data, parsed.plain_bytes);
  return Buffer(parsed.data.begin(), parsed.data.end());
}

Result<ByteView> from_frame_form(ByteView form, std::size_t plain_bytes_max, Buffer& scratch) {
  auto parsed = LB_TRY(parse(form, plain_bytes_max));
  if (!parsed.compressed) return parsed.data;
  if (scratch.size() < parsed.plain_bytes) scratch.resize(parsed.plain_bytes);
  auto plain = MutableBytes(scratch).first(parsed.plain_bytes);
  LB_TRY(decompress_into(parsed.data, plain));
  return ByteView(plain);
}

Result<std::uint32_t> plain_size_of(ByteView form, std::size_t plain_bytes_max) {
  auto parsed = LB_TRY(parse(form, plain_bytes_max));
  return parsed.plain_bytes;
}

AeadNonce frame_nonce(std::uint32_t number) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 4; ++i)
    nonce[8 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return nonce;
}

}  // namespace lb::repo
