#include "storage/copy/shape.h"

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "storage/repo/format.h"
#include "storage/repo/keyring.h"
#include "storage/repo/pack_format.h"

namespace lb::copy {

namespace {

constexpr std::string_view sealed_magic = "LBO1";
constexpr std::size_t sealed_head_bytes = 8;
constexpr std::size_t writers_block_bytes = 32, readers_block_bytes = 80;
constexpr std::size_t frame_head_bytes = 5;  // u32 size, u8 last
constexpr std::size_t trailer_box_bytes = 80, trailer_check_bytes = 24;

Error bad(const std::string& key, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", key, " ", what)).with_exit(ExitCode::damaged);
}

Status check_text(const std::string& key, ByteView object) {
  auto checked = repo::check_text_bytes(key, object);
  return checked.ok() ? Status() : bad(key, checked.error().message());
}

Status check_pack(const std::string& key, ByteView object) {
  auto header = repo::pack_header();
  if (object.size() < header.size() + repo::pack_trailer_bytes) return bad(key, "is cut short");
  if (text_of(object.first(header.size())) != text_of(header)) {
    return bad(key, "does not begin as a pack does");
  }
  auto trailer = object.last(repo::pack_trailer_bytes);
  auto body = trailer.first(repo::pack_trailer_bytes - trailer_check_bytes);
  auto check = sha256(body);
  if (text_of(ByteView(check).first(trailer_check_bytes)) !=
      text_of(trailer.last(trailer_check_bytes))) {
    return bad(key, "does not end as a pack does: it is cut short or damaged");
  }
  ByteReader in(body.subspan(trailer_box_bytes));
  auto offset = LB_TRY(in.u64());
  auto size = LB_TRY(in.u32());
  if (offset + size + repo::pack_trailer_bytes == object.size()) return {};
  return bad(key, "has not the size its trailer says");
}

Status check_sealed(const std::string& key, ByteView object) {
  bool begins = object.size() > sealed_head_bytes &&
                text_of(object.first(sealed_magic.size())) == sealed_magic && object[4] <= 1;
  if (!begins) return bad(key, "does not begin as a sealed object does");
  auto rest = object.subspan(sealed_head_bytes);
  auto block = object[4] == 0 ? writers_block_bytes : readers_block_bytes;
  if (rest.size() < block) return bad(key, "is cut short");
  ByteReader in(rest.subspan(block));
  for (bool last = false; !last;) {
    auto size = in.u32();
    auto flag = in.u8();
    auto sealed = size.ok() ? in.raw(*size) : Result<ByteView>(size.error());
    if (!flag.ok() || *flag > 1 || !sealed.ok()) return bad(key, "is cut short or damaged");
    last = *flag == 1;
  }
  if (in.done()) return {};
  return bad(key, "goes on after its end");
}

}  // namespace

bool is_sealed(const std::string& key) {
  for (auto prefix : {"e/", "x/", "w/", "r/", "i/", "g/", "d/", "l/", "q/"}) {
    if (key.starts_with(prefix)) return true;
  }
  return false;
}

bool may_be_of_repacking(BlobStore& store, const std::string& verdict_key) {
  std::uint64_t at = sealed_head_bytes + readers_block_bytes;
  for (int frame = 1; frame <= 2; ++frame) {
    auto head = store.get_range(verdict_key, at, frame_head_bytes);
    if (!head.ok() || head->size() != frame_head_bytes) return true;
    ByteReader in(*head);
    auto size = in.u32();
    auto last = in.u8();
    if (*last == 1) return frame == 2;
    at += frame_head_bytes + *size;
  }
  return false;
}

Status check_shape(const std::string& key, ByteView object) {
  if (key == repo::repo_key || key.starts_with("k/")) return check_text(key, object);
  if (key.starts_with("p/")) return check_pack(key, object);
  return is_sealed(key) ? check_sealed(key, object) : Status();
}

}  // namespace lb::copy
