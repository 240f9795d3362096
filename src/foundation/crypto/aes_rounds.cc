#include "foundation/crypto/aes_rounds.h"

#include "foundation/base/assert.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace lb {

#if defined(__x86_64__)

namespace {

constexpr std::size_t rounds_count = 10;

[[gnu::target("aes,sse4.1")]] inline __m128i load(const std::uint8_t* bytes, std::size_t block) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes) + block);
}

// One step of the key schedule; `assist` comes from aeskeygenassist with the step's constant.
[[gnu::target("aes,sse4.1")]] inline __m128i next_key(__m128i key, __m128i assist) {
  assist = _mm_shuffle_epi32(assist, 0xFF);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, assist);
}

template <int constant>
[[gnu::target("aes,sse4.1")]] inline void step(__m128i& key, __m128i*& out) {
  key = next_key(key, _mm_aeskeygenassist_si128(key, constant));
  _mm_storeu_si128(out++, key);
}

[[gnu::target("aes,sse4.1")]] void expand(const AesKey& key, AesRoundKeys& keys) {
  auto* out = reinterpret_cast<__m128i*>(keys.data());
  auto at = load(key.data(), 0);
  _mm_storeu_si128(out++, at);
  step<0x01>(at, out);
  step<0x02>(at, out);
  step<0x04>(at, out);
  step<0x08>(at, out);
  step<0x10>(at, out);
  step<0x20>(at, out);
  step<0x40>(at, out);
  step<0x80>(at, out);
  step<0x1b>(at, out);
  step<0x36>(at, out);
}

[[gnu::target("aes,sse4.1")]] std::uint64_t encrypt(const WindowRounds& rounds,
                                                    const std::uint8_t* window) {
  __m128i blocks[4];
  auto key = load(rounds.inner.data(), 0);
#pragma GCC unroll 4
  for (std::size_t n = 0; n < 4; ++n) {
    auto masked = _mm_xor_si128(load(window, n), load(rounds.masks.data(), n));
    blocks[n] = _mm_xor_si128(masked, key);
  }
  for (std::size_t round = 1; round < rounds_count; ++round) {
    key = load(rounds.inner.data(), round);
#pragma GCC unroll 4
    for (std::size_t n = 0; n < 4; ++n) blocks[n] = _mm_aesenc_si128(blocks[n], key);
  }
  key = load(rounds.inner.data(), rounds_count);
#pragma GCC unroll 4
  for (std::size_t n = 0; n < 4; ++n) blocks[n] = _mm_aesenclast_si128(blocks[n], key);
  auto sum =
      _mm_xor_si128(_mm_xor_si128(blocks[0], blocks[1]), _mm_xor_si128(blocks[2], blocks[3]));
  sum = _mm_xor_si128(sum, load(rounds.outer.data(), 0));
  for (std::size_t round = 1; round < rounds_count; ++round) {
    sum = _mm_aesenc_si128(sum, load(rounds.outer.data(), round));
  }
  sum = _mm_aesenclast_si128(sum, load(rounds.outer.data(), rounds_count));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(sum));
}

bool ask_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  return (c & bit_AES) != 0 && (c & bit_SSE4_1) != 0;
}

}  // namespace

bool aes_rounds_supported() {
  static const bool supported = ask_processor();
  return supported;
}

AesRoundKeys expand_aes_key(const AesKey& key) {
  AesRoundKeys out{};
  if (aes_rounds_supported()) expand(key, out);
  return out;
}

std::uint64_t encrypt_window(const WindowRounds& rounds, const std::uint8_t* window) {
  LB_ASSERT(aes_rounds_supported());
  return encrypt(rounds, window);
}

#else

bool aes_rounds_supported() { return false; }
AesRoundKeys expand_aes_key(const AesKey&) { return {}; }
std::uint64_t encrypt_window(const WindowRounds&, const std::uint8_t*) {
  LB_ASSERT(aes_rounds_supported());
  return 0;
}

#endif

}  // namespace lb
