// Ed25519 signatures (RFC 8032): what a person or a program said, provable to whoever knows its
// public key. Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

using SigningPublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// `seed`: 32 random bytes; it is the private key.
SigningPublicKey signing_public_key_of(const Secret& seed);
Signature sign(const Secret& seed, ByteView message);
bool is_signed_by(const SigningPublicKey& key, ByteView message, ByteView signature);

}  // namespace lb
