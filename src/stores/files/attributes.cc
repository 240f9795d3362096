// Attributes of a row as bytes, and keys as paths.
#include <algorithm>

#include "stores/files/store.h"

namespace lb::files {

namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t kind_bits = 0x0f, incomplete_bit = 0x10, link_bit = 0x20, rare_bit = 0x40,
                       names_bit = 0x80;
constexpr std::uint64_t xattr_bytes_max = 16 << 20;

Error damaged(const char* what) {
  return Error(ErrorKind::corrupt, std::string("file attributes: ") + what);
}

// What few files have, so that the rows of all others stay small.
Status decode_rare(ByteReader& in, Attributes& out) {
  out.special = LB_TRY(in.varint());
  auto count = LB_TRY(in.varint());
  for (std::uint64_t n = 0; n < count; ++n) {
    auto name = LB_TRY(in.text());
    auto size = LB_TRY(in.varint());
    if (size > xattr_bytes_max) return damaged("an extended attribute is too large");
    auto value = LB_TRY(in.raw(size));
    out.xattrs.emplace_back(std::move(name), Buffer(value.begin(), value.end()));
  }
  return {};
}

void encode_rare(ByteWriter& out, const Attributes& attributes) {
  out.varint(attributes.special);
  out.varint(attributes.xattrs.size());
  for (const auto& [name, value] : attributes.xattrs) {
    out.text(name);
    out.varint(value.size());
    out.raw(value);
  }
}

Result<std::uint32_t> number(ByteReader& in, std::uint64_t largest) {
  auto value = LB_TRY(in.varint());
  if (value > largest) return damaged("a number is out of range");
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Buffer encode(const Attributes& attributes) {
  Buffer bytes;
  bytes.reserve(64);
  ByteWriter out(bytes);
  bool links = !attributes.link_target.empty() || !attributes.hard_link_to.empty();
  bool rare = attributes.special != 0 || !attributes.xattrs.empty();
  auto head = static_cast<unsigned>(attributes.kind) | (attributes.complete ? 0u : incomplete_bit) |
              (links ? link_bit : 0u) | (rare ? rare_bit : 0u) |
              (attributes.links != 1 ? names_bit : 0u);
  out.u8(format);
  out.u8(static_cast<std::uint8_t>(head));
  out.varint(attributes.mode);
  out.varint(attributes.uid);
  out.varint(attributes.gid);
  out.text(attributes.user);
  out.text(attributes.group);
  out.u64(static_cast<std::uint64_t>(attributes.mtime_ns));
  out.u64(static_cast<std::uint64_t>(attributes.ctime_ns));
  out.varint(attributes.inode);
  out.varint(attributes.device);
  if (links) {
    out.text(attributes.link_target);
    out.text(attributes.hard_link_to);
  }
  if (rare) encode_rare(out, attributes);
  if (attributes.links != 1) out.varint(attributes.links);
  return bytes;
}

Result<Attributes> decode_attributes(ByteView bytes) {
  ByteReader in(bytes);
  Attributes out;
  auto version = LB_TRY(in.u8());
  if (version != format) return damaged("written by a later version of the program");
  auto head = LB_TRY(in.u8());
  if ((head & kind_bits) > static_cast<unsigned>(FileKind::character)) {
    return damaged("an unknown kind of file");
  }
  out.kind = static_cast<FileKind>(head & kind_bits);
  out.complete = (head & incomplete_bit) == 0;
  out.mode = LB_TRY(number(in, 07777));
  out.uid = LB_TRY(number(in, UINT32_MAX));
  out.gid = LB_TRY(number(in, UINT32_MAX));
  out.user = LB_TRY(in.text());
  out.group = LB_TRY(in.text());
  auto mtime = LB_TRY(in.u64());
  auto ctime = LB_TRY(in.u64());
  out.mtime_ns = static_cast<std::int64_t>(mtime);
  out.ctime_ns = static_cast<std::int64_t>(ctime);
  out.inode = LB_TRY(in.varint());
  out.device = LB_TRY(in.varint());
  if ((head & link_bit) != 0) {
    out.link_target = LB_TRY(in.text());
    out.hard_link_to = LB_TRY(in.text());
  }
  if ((head & rare_bit) != 0) LB_TRY(decode_rare(in, out));
  if ((head & names_bit) != 0) out.links = LB_TRY(in.varint());
  if (!in.done()) return damaged("bytes are left over");
  return out;
}

std::string key_of(const std::string& relative_path) {
  auto key = relative_path;
  std::replace(key.begin(), key.end(), '/', '\0');
  return key;
}

std::string path_of(const std::string& key) {
  auto path = key;
  std::replace(path.begin(), path.end(), '\0', '/');
  return path;
}

}  // namespace lb::files
