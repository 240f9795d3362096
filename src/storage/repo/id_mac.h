// IdMac: what names chunks. BLAKE3, keyed; in repositories of format version 1 HMAC-SHA-256.
// Thread-safe.
#pragma once

#include <variant>

#include "foundation/crypto/blake3.h"
#include "foundation/crypto/hash.h"

namespace lb::repo {

class IdMac {
 public:
  // `version`: of the repository's format. 32 bytes of key.
  IdMac(int version, ByteView key) : mac_(KeyedBlake3(key)) {
    if (version == 1) mac_.emplace<Hmac>(key);
  }
  Digest of(ByteView chunk) const {
    return std::visit([&](const auto& mac) { return mac.of(chunk); }, mac_);
  }
  // One digest each; several at once are cheaper than one by one.
  void of_many(std::span<const ByteView> chunks, std::span<Digest> digests) const {
    std::visit([&](const auto& mac) { mac.of_many(chunks, digests); }, mac_);
  }

 private:
  std::variant<KeyedBlake3, Hmac> mac_;
};

}  // namespace lb::repo
