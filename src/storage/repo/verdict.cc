#include "storage/repo/verdict.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/row_codec.h"

namespace lb::repo {

namespace {

constexpr std::uint8_t verdict_version = 1;
constexpr std::uint64_t text_bytes_max = 1 << 20;

void encode_meta(const SnapshotInfo& info, Buffer& out) {
  ByteWriter writer(out);
  const auto& meta = info.meta;
  for (const auto* text : {&meta.store, &meta.kind, &meta.host, &meta.details, &meta.parent})
    writer.text(*text);
  for (auto time : {meta.started, meta.taken, info.ended}) writer.signed_varint(to_micros(time));
  writer.varint(meta.warnings.size());
  for (const auto& warning : meta.warnings) writer.text(warning);
  for (auto number : {info.rows, info.logical_bytes, info.new_bytes, info.stored_bytes})
    writer.varint(number);
}

Status decode_meta(ByteReader& in, SnapshotInfo& info) {
  auto& meta = info.meta;
  for (auto* text : {&meta.store, &meta.kind, &meta.host, &meta.details, &meta.parent}) {
    *text = LB_TRY(in.text(text_bytes_max));
  }
  for (auto* time : {&meta.started, &meta.taken, &info.ended})
    *time = from_micros(LB_TRY(in.signed_varint()));
  auto warnings = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < warnings; ++i)
    meta.warnings.push_back(LB_TRY(in.text(text_bytes_max)));
  for (auto* number : {&info.rows, &info.logical_bytes, &info.new_bytes, &info.stored_bytes}) {
    *number = LB_TRY(in.varint());
  }
  return {};
}

Result<Digest> read_digest(ByteReader& in) {
  Digest digest;
  auto bytes = LB_TRY(in.raw(digest.size()));
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

}  // namespace

Buffer encode(const Verdict& verdict) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(verdict_version);
  writer.u8(verdict.aborted ? 2 : 1);
  if (verdict.aborted) return out;
  encode_meta(verdict.info, out);
  writer.raw(verdict.previous);
  writer.varint(verdict.packs.size());
  for (const auto& pack : verdict.packs) {
    writer.text(pack.name);
    writer.varint(pack.bytes);
    writer.raw(pack.sha256);
    writer.u8(pack.needed ? 1 : 0);
  }
  writer.varint(verdict.attachments.size());
  for (const auto& attachment : verdict.attachments) {
    writer.text(attachment.name);
    writer.varint(attachment.bytes);
    encode_extents(attachment.extents, out);
  }
  return out;
}

Result<Verdict> decode_verdict(const std::string& session, ByteView bytes) {
  ByteReader in(bytes);
  Verdict out;
  auto version = LB_TRY(in.u8());
  auto state = LB_TRY(in.u8());
  if (version != verdict_version || state < 1 || state > 2)
    return Error(ErrorKind::corrupt, "unknown verdict form");
  out.info.id = session;
  out.aborted = state == 2;
  if (out.aborted) return out;
  LB_TRY(decode_meta(in, out.info));
  out.previous = LB_TRY(read_digest(in));
  auto packs = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < packs; ++i) {
    VerdictPack pack;
    pack.name = LB_TRY(in.text(256));
    pack.bytes = LB_TRY(in.varint());
    pack.sha256 = LB_TRY(read_digest(in));
    pack.needed = LB_TRY(in.u8()) != 0;
    out.info.packs += pack.needed ? 1 : 0;
    out.packs.push_back(std::move(pack));
  }
  auto attachments = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < attachments; ++i) {
    Attachment attachment;
    attachment.name = LB_TRY(in.text(256));
    attachment.bytes = LB_TRY(in.varint());
    attachment.extents = LB_TRY(decode_extents(in));
    out.attachments.push_back(std::move(attachment));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

}  // namespace lb::repo
