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

// The sum of `count` blocks, each masked and encrypted.
template <std::size_t count>
[[gnu::target("aes,sse4.1")]] inline __m128i sum_of(const AesRoundKeys& keys,
                                                    const std::uint8_t* masks,
                                                    const std::uint8_t* bytes) {
  __m128i blocks[count];
  auto key = load(keys.data(), 0);
#pragma GCC unroll 8
  for (std::size_t n = 0; n < count; ++n) {
    blocks[n] = _mm_xor_si128(_mm_xor_si128(load(bytes, n), load(masks, n)), key);
  }
  for (std::size_t round = 1; round < rounds_count; ++round) {
    key = load(keys.data(), round);
#pragma GCC unroll 8
    for (std::size_t n = 0; n < count; ++n) blocks[n] = _mm_aesenc_si128(blocks[n], key);
  }
  key = load(keys.data(), rounds_count);
  auto sum = _mm_setzero_si128();
#pragma GCC unroll 8
  for (std::size_t n = 0; n < count; ++n) {
    sum = _mm_xor_si128(sum, _mm_aesenclast_si128(blocks[n], key));
  }
  return sum;
}

[[gnu::target("aes,sse4.1")]] inline __m128i encrypt_one(const AesRoundKeys& keys, __m128i block) {
  block = _mm_xor_si128(block, load(keys.data(), 0));
  for (std::size_t round = 1; round < rounds_count; ++round) {
    block = _mm_aesenc_si128(block, load(keys.data(), round));
  }
  return _mm_aesenclast_si128(block, load(keys.data(), rounds_count));
}

[[gnu::target("aes,sse4.1")]] std::uint64_t encrypt(const WindowRounds& rounds,
                                                    const std::uint8_t* window) {
  auto sum = sum_of<4>(rounds.inner, rounds.masks.data(), window);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(encrypt_one(rounds.outer, sum)));
}

// Eight blocks keep the processor's units busy; those at the end go with the last one.
[[gnu::target("aes,sse4.1")]] AesBlock mac(const MacRounds& rounds, const std::uint8_t* message,
                                           std::size_t count, const AesBlock& last) {
  constexpr std::size_t at_once = 8;
  auto sum = _mm_setzero_si128();
  std::size_t done = 0;
  for (; done + at_once <= count; done += at_once) {
    auto at = done * aes_block_bytes;
    sum = _mm_xor_si128(sum, sum_of<at_once>(rounds.inner, rounds.masks.data() + at, message + at));
  }
  for (; done < count; ++done) {
    auto at = done * aes_block_bytes;
    sum = _mm_xor_si128(sum, sum_of<1>(rounds.inner, rounds.masks.data() + at, message + at));
  }
  const auto* last_mask = rounds.masks.data() + (mac_blocks_max - 1) * aes_block_bytes;
  sum = _mm_xor_si128(sum, sum_of<1>(rounds.inner, last_mask, last.data()));
  AesBlock out;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), encrypt_one(rounds.outer, sum));
  return out;
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

AesBlock mac_blocks(const MacRounds& rounds, ByteView message, const AesBlock& last) {
  auto count = message.size() / aes_block_bytes;
  LB_ASSERT(aes_rounds_supported() && count < mac_blocks_max);
  return mac(rounds, message.data(), count, last);
}

#else

bool aes_rounds_supported() { return false; }
AesRoundKeys expand_aes_key(const AesKey&) { return {}; }
std::uint64_t encrypt_window(const WindowRounds&, const std::uint8_t*) {
  LB_ASSERT(aes_rounds_supported());
  return 0;
}
AesBlock mac_blocks(const MacRounds&, ByteView, const AesBlock&) {
  LB_ASSERT(aes_rounds_supported());
  return {};
}

#endif

}  // namespace lb
