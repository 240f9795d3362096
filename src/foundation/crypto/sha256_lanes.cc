#include "foundation/crypto/sha256_lanes.h"

#include "foundation/base/assert.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#endif

namespace lb {

#if defined(__x86_64__)

namespace {

alignas(16) constexpr std::uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The instructions want the words A B E F and C D G H together.
struct Halves {
  __m128i abef, cdgh;
};

template <typename Item>
const __m128i* as_vector(const Item* items) {
  return reinterpret_cast<const __m128i*>(items);
}

[[gnu::target("sha,sse4.1")]] inline Halves load(const Sha256Words& words) {
  auto dcba = _mm_loadu_si128(as_vector(words.data()));
  auto hgfe = _mm_loadu_si128(as_vector(words.data() + 4));
  auto cdab = _mm_shuffle_epi32(dcba, 0xB1);
  auto efgh = _mm_shuffle_epi32(hgfe, 0x1B);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

[[gnu::target("sha,sse4.1")]] inline void store(const Halves& state, Sha256Words& words) {
  auto feba = _mm_shuffle_epi32(state.abef, 0x1B);
  auto dchg = _mm_shuffle_epi32(state.cdgh, 0xB1);
  auto* out = reinterpret_cast<__m128i*>(words.data());
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}

// Four rounds. `words` are those of the message schedule for them.
[[gnu::target("sha,sse4.1")]] inline void four_rounds(Halves& state, __m128i words,
                                                      std::size_t round) {
  auto sum = _mm_add_epi32(words, _mm_load_si128(as_vector(round_constants + round)));
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

// The next four words of the schedule from the sixteen before, oldest first.
[[gnu::target("sha,sse4.1")]] inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2,
                                                        __m128i w3) {
  auto sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
  return _mm_sha256msg2_epu32(sum, w3);
}

template <std::size_t lane_count>
[[gnu::target("sha,sse4.1")]] void one_block(Halves (&states)[lane_count],
                                             const std::uint8_t* (&bytes)[lane_count]) {
  const auto swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i words[lane_count][4];
  Halves before[lane_count];
#pragma GCC unroll 4
  for (std::size_t n = 0; n < lane_count; ++n) before[n] = states[n];
#pragma GCC unroll 4
  for (std::size_t group = 0; group < 4; ++group) {
#pragma GCC unroll 4
    for (std::size_t n = 0; n < lane_count; ++n) {
      auto raw = _mm_loadu_si128(as_vector(bytes[n] + group * 16));
      words[n][group] = _mm_shuffle_epi8(raw, swap);
      four_rounds(states[n], words[n][group], group * 4);
    }
  }
  for (std::size_t round = 16; round < 64; round += 16) {
#pragma GCC unroll 4
    for (std::size_t group = 0; group < 4; ++group) {
#pragma GCC unroll 4
      for (std::size_t n = 0; n < lane_count; ++n) {
        auto& ring = words[n];
        ring[group] = next_words(ring[group], ring[(group + 1) % 4], ring[(group + 2) % 4],
                                 ring[(group + 3) % 4]);
        four_rounds(states[n], ring[group], round + group * 4);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t n = 0; n < lane_count; ++n) {
    states[n].abef = _mm_add_epi32(states[n].abef, before[n].abef);
    states[n].cdgh = _mm_add_epi32(states[n].cdgh, before[n].cdgh);
    bytes[n] += sha256_block_bytes;
  }
}

template <std::size_t lane_count>
[[gnu::target("sha,sse4.1")]] void run(const std::array<Sha256Lane, sha256_lanes_max>& lanes,
                                       std::size_t blocks) {
  Halves states[lane_count];
  const std::uint8_t* bytes[lane_count];
  for (std::size_t n = 0; n < lane_count; ++n) {
    states[n] = load(*lanes[n].words);
    bytes[n] = lanes[n].bytes;
  }
  for (; blocks > 0; --blocks) one_block<lane_count>(states, bytes);
  for (std::size_t n = 0; n < lane_count; ++n) store(states[n], *lanes[n].words);
}

bool ask_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  bool shuffles = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return shuffles && (b & bit_SHA) != 0;
}

}  // namespace

bool sha256_lanes_supported() {
  static const bool supported = ask_processor();
  return supported;
}

void sha256_lanes(const std::array<Sha256Lane, sha256_lanes_max>& lanes, std::size_t count,
                  std::size_t blocks) {
  LB_ASSERT(sha256_lanes_supported() && count >= 1 && count <= sha256_lanes_max);
  if (count == 1) return run<1>(lanes, blocks);
  if (count == 2) return run<2>(lanes, blocks);
  if (count == 3) return run<3>(lanes, blocks);
  run<4>(lanes, blocks);
}

#else

bool sha256_lanes_supported() { return false; }

void sha256_lanes(const std::array<Sha256Lane, sha256_lanes_max>&, std::size_t, std::size_t) {
  LB_ASSERT(sha256_lanes_supported());
}

#endif

}  // namespace lb
