#include "foundation/crypto/sealed_box.h"

#include <sodium.h>

#include "foundation/base/assert.h"

namespace lb {

namespace {

static_assert(crypto_box_SEALBYTES == sealed_box_overhead_bytes);
static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);

void ready() {
  static const int state = sodium_init();  // safe to call more than once, from any thread
  LB_ASSERT(state >= 0);
}

using Nonce = std::array<std::uint8_t, crypto_box_NONCEBYTES>;

Nonce nonce_of(ByteView ephemeral, const PublicKey& receiver) {
  Buffer both(ephemeral.begin(), ephemeral.end());
  both.insert(both.end(), receiver.begin(), receiver.end());
  Nonce nonce;
  LB_ASSERT(crypto_generichash(nonce.data(), nonce.size(), both.data(), both.size(), nullptr, 0) ==
            0);
  return nonce;
}

}  // namespace

KeyPair key_pair_from(const Secret& seed) {
  ready();
  LB_ASSERT(seed.size() == crypto_box_SEEDBYTES);
  KeyPair pair;
  Buffer secret(crypto_box_SECRETKEYBYTES);
  LB_ASSERT(crypto_box_seed_keypair(pair.public_key.data(), secret.data(), seed.bytes().data()) ==
            0);
  pair.private_key = Secret(ByteView(secret));
  wipe(secret);
  return pair;
}

PublicKey public_key_of(const Secret& private_key) {
  ready();
  LB_ASSERT(private_key.size() == crypto_box_SECRETKEYBYTES);
  PublicKey out;
  LB_ASSERT(crypto_scalarmult_base(out.data(), private_key.bytes().data()) == 0);
  return out;
}

Buffer seal_box(const PublicKey& receiver, ByteView message, Secret ephemeral_seed) {
  auto ephemeral = key_pair_from(ephemeral_seed);
  auto nonce = nonce_of(ephemeral.public_key, receiver);
  Buffer out(ephemeral.public_key.begin(), ephemeral.public_key.end());
  out.resize(sealed_box_overhead_bytes + message.size());
  LB_ASSERT(crypto_box_easy(out.data() + ephemeral.public_key.size(), message.data(),
                            message.size(), nonce.data(), receiver.data(),
                            ephemeral.private_key.bytes().data()) == 0);
  return out;
}

Result<Secret> open_box(const Secret& private_key, const PublicKey& public_key, ByteView box) {
  ready();
  Error broken(ErrorKind::corrupt, "the sealed key does not open");
  if (box.size() < sealed_box_overhead_bytes || private_key.size() != 32) return broken;
  Buffer message(box.size() - sealed_box_overhead_bytes);
  bool good = crypto_box_seal_open(message.data(), box.data(), box.size(), public_key.data(),
                                   private_key.bytes().data()) == 0;
  Secret out{ByteView(message)};
  wipe(message);
  if (!good) return broken;
  return out;
}

}  // namespace lb
