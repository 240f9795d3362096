// AES-256-GMAC (NIST SP 800-38D) under one key: a proof over bytes at several gigabytes a second.
// As with GCM, two messages of one nonce give the key away: the caller owns the rule. Thread-safe.
#pragma once

#include <memory>

#include "foundation/crypto/aead.h"

namespace lb {

using GmacTag = std::array<std::uint8_t, aead_tag_bytes>;

class Gmac {
 public:
  explicit Gmac(const Secret& key);  // 32 bytes
  ~Gmac();
  Gmac(const Gmac&) = delete;
  Gmac& operator=(const Gmac&) = delete;
  GmacTag of(const AeadNonce& nonce, ByteView message) const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace lb
