#include "storage/repo/frame_form.h"

#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/zstd.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

constexpr std::size_t head_bytes = 5;

// One for each thread: a compressor costs more to make than a small frame to compress.
Compressor& compressor() {
  thread_local Compressor own(zstd_level);
  return own;
}

}  // namespace

namespace {

// `form` grows when it must, and keeps what it has.
ByteView write_form(ByteView plain, Buffer& form) {
  auto room = head_bytes + shrink_room(plain.size());
  if (form.size() < room) form.resize(room);
  auto data = MutableBytes(form).subspan(head_bytes);
  auto size = compressor().shrink(plain, data);
  form[0] = size > 0 ? 1 : 0;
  for (std::size_t i = 0; i < 4; ++i) {
    form[1 + i] = static_cast<std::uint8_t>(plain.size() >> (8 * i));
  }
  if (size == 0) {
    std::copy(plain.begin(), plain.end(), data.begin());
    size = plain.size();
  }
  return ByteView(form).first(head_bytes + size);
}

}  // namespace

ByteView frame_form_of(ByteView plain) {
  LB_ASSERT(plain.size() <= frame_bytes_max);
  thread_local Buffer form;
  return write_form(plain, form);
}

Buffer to_frame_form(ByteView plain) {
  Buffer form;
  form.resize(write_form(plain, form).size());
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
