#include "foundation/crypto/window_prf.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>
#include <set>

#include "foundation/crypto/aes_rounds.h"
#include "foundation/crypto/hash.h"

namespace lb {
namespace {

using Block = std::array<std::uint8_t, 16>;

Block openssl_aes(const Digest& key, const Block& in) {
  auto* context = EVP_CIPHER_CTX_new();
  Block out;
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nullptr, key.data(), nullptr), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &written, in.data(), 16), 1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

// Written down once more from the header's words.
std::uint64_t by_hand(const Secret& key, const std::uint8_t* window) {
  auto derived = [&](std::uint8_t number) {
    Buffer label = {'c', 'u', 't', number};
    return hmac_sha256(key.bytes(), label);
  };
  Block sum{};
  for (std::uint8_t n = 0; n < 4; ++n) {
    auto mask = derived(static_cast<std::uint8_t>(2 + n));
    Block block;
    for (std::size_t i = 0; i < 16; ++i) block[i] = window[16 * n + i] ^ mask[i];
    block = openssl_aes(derived(0), block);
    for (std::size_t i = 0; i < 16; ++i) sum[i] ^= block[i];
  }
  auto out = openssl_aes(derived(1), sum);
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | out[i];
  return value;
}

TEST(WindowPrf, IsTheSameByInstructionsByOpensslAndByHand) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Buffer key(32), window(prf_window_bytes + 1);
    for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
    for (auto& byte : window) byte = static_cast<std::uint8_t>(random());
    Secret secret{ByteView(key)};
    auto expected = by_hand(secret, window.data() + 1);
    EXPECT_EQ(WindowPrf(secret).of(window.data() + 1), expected);
    EXPECT_EQ(WindowPrf(secret, WindowPrf::Way::portable).of(window.data() + 1), expected);
  }
}

TEST(WindowPrf, EveryByteOfTheWindowCounts) {
  WindowPrf prf(Secret(ByteView(Buffer(32, 5))));
  Buffer window(prf_window_bytes);
  std::set<std::uint64_t> values = {prf.of(window.data())};
  for (auto& byte : window) {
    byte = 1;
    values.insert(prf.of(window.data()));
    byte = 0;
  }
  EXPECT_EQ(values.size(), prf_window_bytes + 1);
}

}  // namespace
}  // namespace lb
