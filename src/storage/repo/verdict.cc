#include "storage/repo/verdict.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/moved.h"
#include "storage/repo/row_codec.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::uint8_t verdict_version = 1;
constexpr std::size_t moved_frames = 2;
constexpr std::uint64_t text_bytes_max = 1 << 20;

void encode_meta(const SnapshotInfo& info, Buffer& out) {
  ByteWriter writer(out);
  const auto& meta = info.meta;
  for (const auto* text : {&meta.store, &meta.kind, &meta.host, &meta.details, &meta.parent})
    writer.text(*text);
  for (auto time : {meta.started, meta.taken, info.ended}) writer.signed_varint(to_micros(time));
  writer.varint(meta.warnings.size());
  for (const auto& warning : meta.warnings) writer.text(warning);
  for (auto number :
       {info.rows, info.logical_bytes, info.new_bytes, info.stored_bytes, info.packs}) {
    writer.varint(number);
  }
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
  for (auto* number :
       {&info.rows, &info.logical_bytes, &info.new_bytes, &info.stored_bytes, &info.packs}) {
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

Buffer encode_head(const Verdict& verdict) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(verdict_version);
  writer.u8(static_cast<std::uint8_t>(verdict.state));
  if (!verdict.is_snapshot()) return out;
  encode_meta(verdict.info, out);
  writer.raw(verdict.previous);
  return out;
}

Buffer encode_body(const Verdict& verdict) {
  Buffer out;
  ByteWriter writer(out);
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

Result<Verdict> decode_head(const std::string& session, ByteView bytes) {
  ByteReader in(bytes);
  Verdict out;
  auto version = LB_TRY(in.u8());
  auto state = LB_TRY(in.u8());
  if (version != verdict_version || state < static_cast<std::uint8_t>(VerdictState::snapshot) ||
      state > static_cast<std::uint8_t>(VerdictState::moved)) {
    return Error(ErrorKind::corrupt, "unknown verdict form");
  }
  out.info.id = session;
  out.state = static_cast<VerdictState>(state);
  if (out.is_snapshot()) {
    LB_TRY(decode_meta(in, out.info));
    out.previous = LB_TRY(read_digest(in));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

Status decode_body(ByteView bytes, Verdict& verdict) {
  ByteReader in(bytes);
  auto packs = LB_TRY(in.varint());
  std::uint64_t needed = 0;
  for (std::uint64_t i = 0; i < packs; ++i) {
    VerdictPack pack;
    pack.name = LB_TRY(in.text(256));
    pack.bytes = LB_TRY(in.varint());
    pack.sha256 = LB_TRY(read_digest(in));
    pack.needed = LB_TRY(in.u8()) != 0;
    needed += pack.needed ? 1 : 0;
    verdict.packs.push_back(std::move(pack));
  }
  auto attachments = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < attachments; ++i) {
    Attachment attachment;
    attachment.name = LB_TRY(in.text(text_bytes_max));
    attachment.bytes = LB_TRY(in.varint());
    attachment.extents = LB_TRY(decode_extents(in));
    verdict.attachments.push_back(std::move(attachment));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  if (needed != verdict.info.packs)
    return Error(ErrorKind::corrupt, "lists another number of packs");
  return {};
}

namespace {

Status take_moved(const Keyring& keys, const std::vector<Buffer>& frames, Verdict& out) {
  if (frames.size() != moved_frames)
    return Error(ErrorKind::corrupt, "has another number of frames");
  auto moved = LB_TRY(open_moved(keys, out.info.id, frames[1]));
  for (const auto& pack : moved.packs) {
    out.packs.push_back({pack.name, pack.bytes, pack.sha256, true});
  }
  out.info.packs = out.packs.size();
  out.moved = std::make_shared<const Moved>(std::move(moved));
  return {};
}

}  // namespace

Result<Verdict> open_verdict(const Keyring& keys, const std::string& session, ByteView object,
                             std::vector<Buffer>* frames) {
  auto opened = LB_TRY(open_object(keys, verdict_key(session), object));
  auto verdict = decode_verdict(keys, session, opened);
  if (frames != nullptr) *frames = std::move(opened);
  return verdict;
}

Result<Verdict> decode_verdict(const Keyring& keys, const std::string& session,
                               const std::vector<Buffer>& frames) {
  auto out = LB_TRY(decode_head(session, frames.front()));
  if (out.state == VerdictState::aborted) return out;
  if (out.state == VerdictState::moved) {
    LB_TRY(take_moved(keys, frames, out));
    return out;
  }
  if (frames.size() != verdict_frames) return Error(ErrorKind::corrupt, "has no table");
  LB_TRY(decode_body(frames[1], out));
  return out;
}

Buffer seal_verdict(const Keyring& keys, Random& random, const Verdict& verdict, ByteView upper) {
  auto head = encode_head(verdict), body = encode_body(verdict);
  return seal_object(keys, random, SealFor::readers, verdict_key(verdict.info.id),
                     {head, body, upper});
}

}  // namespace lb::repo
