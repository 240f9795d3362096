#include "storage/repo/quarantine.h"

#include "foundation/base/text.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {
constexpr std::size_t key_bytes_max = 900;
}  // namespace

Buffer encode_quarantine(const std::set<std::string>& keys) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.u8(1);
  out.varint(keys.size());
  for (const auto& key : keys) out.text(key);
  return bytes;
}

Result<std::set<std::string>> decode_quarantine(ByteView bytes) {
  ByteReader in(bytes);
  auto version = LB_TRY(in.u8());
  if (version != 1) return Error(ErrorKind::corrupt, "a quarantine of an unknown form");
  auto count = LB_TRY(in.varint());
  std::set<std::string> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto key = LB_TRY(in.text(key_bytes_max));
    if (!out.empty() && key <= *out.rbegin()) return Error(ErrorKind::corrupt, "keys not in order");
    out.insert(out.end(), std::move(key));
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

Result<Quarantine> read_quarantine(const Core& core) {
  Quarantine out;
  for (const auto& object : LB_TRY(core.blobs.list(quarantine_prefix))) {
    auto bytes = core.blobs.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;  // just replaced
    if (!bytes.ok() && bytes.error().kind() != ErrorKind::corrupt) {
      return std::move(bytes).take_error();
    }
    out.objects.push_back(object.key);
    auto frames = bytes.ok() ? open_object(core.keys, object.key, *bytes)
                             : Result<std::vector<Buffer>>(bytes.error());
    auto keys = frames.ok() ? decode_quarantine(frames->front())
                            : Result<std::set<std::string>>(frames.error());
    if (keys.ok()) {
      out.keys.merge(*keys);
    } else {
      out.warnings.push_back(cat("object ", object.key,
                                 " is damaged: packs it calls damaged may be relied on; run "
                                 "lifeboat repair"));
    }
  }
  return out;
}

Status put_quarantine(const Core& core, const std::set<std::string>& keys) {
  auto name = cat(quarantine_prefix, fresh_session_id(core));
  auto object =
      seal_object(core.keys, core.random, SealFor::writers, name, {encode_quarantine(keys)});
  LB_TRY(put_once(core.blobs, name, object));
  return core.blobs.flush();
}

}  // namespace lb::repo
