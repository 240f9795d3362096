// X25519 sealed boxes (libsodium's crypto_box_seal layout): anyone with the public key can seal,
// only the private key opens. The ephemeral key comes from the Random the caller gives as 32 bytes,
// so that simulations repeat. Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

using PublicKey = std::array<std::uint8_t, 32>;
inline constexpr std::size_t sealed_box_overhead_bytes = 48;

struct KeyPair {
  PublicKey public_key{};
  Secret private_key;  // 32 bytes
};

KeyPair key_pair_from(const Secret& seed);           // 32 random bytes
PublicKey public_key_of(const Secret& private_key);  // 32 bytes
// `ephemeral_seed`: 32 fresh random bytes, used for nothing else.
Buffer seal_box(const PublicKey& receiver, ByteView message, Secret ephemeral_seed);
// corrupt when it was not sealed to this key, or was changed.
Result<Secret> open_box(const Secret& private_key, const PublicKey& public_key, ByteView box);

}  // namespace lb
