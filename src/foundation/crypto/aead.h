// Aead: AES-256-GCM under one key. The caller owns the rule that a nonce is used once per key.
// Thread-safe: each call works on a context of its own. By OpenSSL, or twice as fast by vectors of
// our own where the processor has them (gcm_wide.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

inline constexpr std::size_t aead_key_bytes = 32;
inline constexpr std::size_t aead_nonce_bytes = 12;
inline constexpr std::size_t aead_tag_bytes = 16;
using AeadNonce = std::array<std::uint8_t, aead_nonce_bytes>;

class Aead {
 public:
  enum class Way { best, portable };  // both give the same bytes; portable is for tests
  explicit Aead(Secret key, Way way = Way::best);  // 32 bytes
  ~Aead();
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  // Appends ciphertext and tag to `out`. The plain text is `head` followed by `body`.
  void seal(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
            Buffer& out) const;
  // The same in place of the caller's choice: `out` has aead_tag_bytes more than the plain text,
  // and may not overlap it.
  void seal_into(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
                 MutableBytes out) const;
  // The plain text; corrupt when the bytes, the nonce, the key or `bound` are not those of seal().
  Result<Buffer> open(const AeadNonce& nonce, ByteView bound, ByteView sealed) const;
  // The same over the sealed bytes themselves: the plain text is their beginning. When it is an
  // error, what they hold is unspecified and must not be used.
  Result<MutableBytes> open_in_place(const AeadNonce& nonce, ByteView bound,
                                     MutableBytes sealed) const;

 private:
  struct Wide;
  void run(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
           std::uint8_t* out) const;
  Status open_into(const AeadNonce& nonce, ByteView bound, ByteView sealed,
                   std::uint8_t* plain) const;

  const Secret key_;
  std::unique_ptr<const Wide> wide_;  // none where the processor has no such vectors
};

}  // namespace lb
