#include "foundation/crypto/signature.h"

#include <sodium.h>

#include "foundation/base/assert.h"

namespace lb {

namespace {

// libsodium keeps seed and public key together.
class PrivateKey {
 public:
  explicit PrivateKey(const Secret& seed) {
    LB_ASSERT(seed.size() == crypto_sign_ed25519_SEEDBYTES);
    LB_ASSERT(crypto_sign_ed25519_seed_keypair(public_key.data(), bytes_.data(),
                                               seed.bytes().data()) == 0);
  }
  ~PrivateKey() { sodium_memzero(bytes_.data(), bytes_.size()); }
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  const std::uint8_t* data() const { return bytes_.data(); }
  SigningPublicKey public_key{};

 private:
  std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> bytes_{};
};

}  // namespace

SigningPublicKey signing_public_key_of(const Secret& seed) { return PrivateKey(seed).public_key; }

Signature sign(const Secret& seed, ByteView message) {
  const PrivateKey key(seed);
  Signature out{};
  LB_ASSERT(crypto_sign_ed25519_detached(out.data(), nullptr, message.data(), message.size(),
                                         key.data()) == 0);
  return out;
}

bool is_signed_by(const SigningPublicKey& key, ByteView message, ByteView signature) {
  if (signature.size() != crypto_sign_ed25519_BYTES) return false;
  return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(),
                                             key.data()) == 0;
}

}  // namespace lb
