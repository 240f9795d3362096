#include "foundation/base/text.h"
#include "stores/postgres/source.h"

namespace lb::pg {

// kind u8, mode varint, mtime signed varint, link target text. More may follow in later versions.
Buffer encode(const FileAttributes& attributes) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(attributes.kind));
  writer.varint(attributes.mode);
  writer.signed_varint(attributes.mtime);
  writer.text(attributes.link_target);
  return out;
}

Result<FileAttributes> decode_attributes(ByteView bytes) {
  ByteReader reader(bytes);
  FileAttributes attributes;
  const std::uint8_t kind = LB_TRY(reader.u8());
  if (kind > static_cast<std::uint8_t>(FileAttributes::Kind::symlink)) {
    return Error(ErrorKind::corrupt, cat("file attributes: unknown kind ", int{kind}));
  }
  attributes.kind = static_cast<FileAttributes::Kind>(kind);
  const std::uint64_t mode = LB_TRY(reader.varint());
  if (mode > 07777) return Error(ErrorKind::corrupt, "file attributes: impossible mode");
  attributes.mode = static_cast<std::uint32_t>(mode);
  attributes.mtime = LB_TRY(reader.signed_varint());
  attributes.link_target = LB_TRY(reader.text(4096));
  return attributes;
}

}  // namespace lb::pg
