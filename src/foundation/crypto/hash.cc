#include "foundation/crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "foundation/base/assert.h"
#include "foundation/crypto/hmac_lanes.h"

namespace lb {

namespace {

// Looking an algorithm up by name costs more than hashing a page, so it is done once.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LB_ASSERT(algorithm != nullptr);
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  LB_ASSERT(algorithm != nullptr);
  return algorithm;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  LB_ASSERT(state_->context != nullptr);
  LB_ASSERT(EVP_DigestInit_ex(state_->context, sha256_algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  LB_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest out;
  LB_ASSERT(EVP_DigestFinal_ex(state_->context, out.data(), nullptr) == 1);
  return out;
}

Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

struct Hmac::State {
  explicit State(ByteView key) : lanes(key) {}
  EVP_MAC_CTX* keyed = EVP_MAC_CTX_new(hmac_algorithm());
  HmacLanes lanes;
  ~State() { EVP_MAC_CTX_free(keyed); }
};

Hmac::Hmac(ByteView key) : state_(std::make_unique<State>(key)) {
  LB_ASSERT(state_->keyed != nullptr);
  char name[] = "SHA256";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                             OSSL_PARAM_construct_end()};
  // An empty key must not be a null pointer, which OpenSSL reads as "keep the old key".
  static constexpr std::uint8_t nothing = 0;
  const auto* bytes = key.empty() ? &nothing : key.data();
  LB_ASSERT(EVP_MAC_init(state_->keyed, bytes, key.size(), parameters) == 1);
}
Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;

Digest Hmac::of(ByteView message) const {
  EVP_MAC_CTX* context = EVP_MAC_CTX_dup(state_->keyed);
  LB_ASSERT(context != nullptr);
  Digest out;
  std::size_t size = 0;
  bool done = EVP_MAC_update(context, message.data(), message.size()) == 1 &&
              EVP_MAC_final(context, out.data(), &size, out.size()) == 1;
  EVP_MAC_CTX_free(context);
  LB_ASSERT(done && size == out.size());
  return out;
}

void Hmac::of_many(std::span<const ByteView> messages, std::span<Digest> digests) const {
  LB_ASSERT(messages.size() == digests.size());
  if (state_->lanes.supported()) return state_->lanes.of(messages, digests);
  for (std::size_t i = 0; i < messages.size(); ++i) digests[i] = of(messages[i]);
}

Digest hmac_sha256(ByteView key, ByteView message) { return Hmac(key).of(message); }

Secret hkdf_sha256(ByteView key, ByteView salt, ByteView info) {
  auto extracted = hmac_sha256(salt, key);
  Buffer block(info.begin(), info.end());
  block.push_back(1);  // the first block of the expansion is all we need
  auto expanded = hmac_sha256(extracted, block);
  Secret out{ByteView(expanded)};
  wipe(extracted);
  wipe(expanded);
  return out;
}

}  // namespace lb
