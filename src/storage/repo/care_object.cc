#include "storage/repo/care_object.h"

#include <cstdio>

#include "foundation/base/text.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::uint8_t care_version = 1;

std::string numbered(const char* prefix, std::uint32_t number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08x", number);
  return cat(prefix, digits);
}

Error bad(const std::string& key, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", key, ": ", what)).with_exit(ExitCode::damaged);
}

}  // namespace

Digest care_mark(const Keyring& keys, const std::string& key, ByteView payload) {
  auto secret =
      hkdf_sha256(keys.private_key.bytes(), view_of(keys.repository_id), view_of("lifeboat care"));
  Buffer message;
  ByteWriter out(message);
  out.text(key);
  out.raw(payload);
  return hmac_sha256(secret.bytes(), message);
}

std::string ledger_key(std::uint32_t number) { return numbered(ledger_prefix, number); }
std::string condemned_key(std::uint32_t generation) {
  return numbered(condemned_prefix, generation);
}
std::string awaited_key(std::uint32_t generation) { return condemned_key(generation) + ".open"; }
std::string decision_key(std::uint32_t generation) { return numbered(decision_prefix, generation); }

std::optional<std::uint32_t> care_number(std::string_view key) {
  if (key.size() != 10 || key[1] != '/') return std::nullopt;
  std::uint32_t number = 0;
  for (char c : key.substr(2)) {
    auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    number = number << 4 | static_cast<std::uint32_t>(digit);
  }
  return number;
}

Status put_care(const Core& core, const std::string& key, ByteView payload) {
  if (core.keys.private_key.empty()) {
    return Error(ErrorKind::denied, "this key may write to the repository but not care for it");
  }
  Buffer frame;
  ByteWriter out(frame);
  out.u8(care_version);
  out.raw(care_mark(core.keys, key, payload));
  out.raw(payload);
  LB_TRY(put_once(core.blobs, key,
                  seal_object(core.keys, core.random, SealFor::writers, key, {frame})));
  return core.blobs.flush();
}

Result<Buffer> get_care(const Core& core, const std::string& key) {
  auto object = LB_TRY(core.blobs.get(key));
  auto frames = LB_TRY(open_object(core.keys, key, object));
  if (frames.size() != 1) return bad(key, "has more than one frame");
  ByteReader in(frames.front());
  auto version = in.u8();
  auto mark = in.raw(sizeof(Digest));
  if (!version.ok() || !mark.ok() || *version != care_version) return bad(key, "unknown form");
  auto payload = LB_TRY(in.raw(in.left()));
  bool may_judge = !core.keys.private_key.empty();
  if (may_judge && !equal_constant_time(*mark, care_mark(core.keys, key, payload))) {
    return bad(key, "was not made by a holder of the repository's private key");
  }
  return Buffer(payload.begin(), payload.end());
}

}  // namespace lb::repo
