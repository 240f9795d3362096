// SHA-256, HMAC-SHA-256 and HKDF. Bytes in, bytes out. Thread-safe unless said.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(ByteView bytes);

// A digest of bytes that come in pieces. One thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void update(ByteView bytes);
  Digest finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC-SHA-256 under one key: the key schedule is done once, so many short messages are cheap.
class Hmac {
 public:
  explicit Hmac(ByteView key);
  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Digest of(ByteView message) const;
  // The same for several messages, one digest each. Far cheaper than one by one when there are four
  // or more of about the same length and the processor has the instructions (sha256_lanes.h).
  void of_many(std::span<const ByteView> messages, std::span<Digest> digests) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest hmac_sha256(ByteView key, ByteView message);

// RFC 5869 with SHA-256, 32 bytes.
Secret hkdf_sha256(ByteView key, ByteView salt, ByteView info);

}  // namespace lb
