// AES-256-GCM (NIST SP 800-38D) by 512-bit vectors, for processors whose cipher and multiplication
// take them (VAES, VPCLMULQDQ with AVX-512): twice as fast as OpenSSL 3.0, which knows none of
// them. Private to foundation/crypto: Aead chooses, and gives the same bytes either way.
#pragma once

#include <array>
#include <cstddef>

#include "foundation/base/bytes.h"

namespace lb::gcm_wide {

bool supported();

// What is worked out from a key once: round keys of AES, and powers of the hash's H, laid out as
// the vectors take them. As secret as the key: wipe() it.
struct Key {
  alignas(64) std::array<std::uint8_t, 15 * 16> rounds{};
  alignas(64) std::array<std::uint8_t, 16 * 16> powers{};  // H^16 first, H last
};
// These demand supported().
void expand(ByteView key, Key& out);  // 32 bytes

using Nonce = std::array<std::uint8_t, 12>;
using Tag = std::array<std::uint8_t, 16>;
// At most so many bytes of `head`.
inline constexpr std::size_t head_bytes_max = 256;
// Enciphers `head` followed by `body` to `out`, which may not overlap them.
Tag seal(const Key& key, const Nonce& nonce, ByteView bound, ByteView head, ByteView body,
         std::uint8_t* out);
// Deciphers to `plain`, which may be where `sealed` is; returns the tag that it ought to have.
Tag open(const Key& key, const Nonce& nonce, ByteView bound, ByteView sealed, std::uint8_t* plain);

}  // namespace lb::gcm_wide
