// SHA-256 (FIPS 180-4) by the SHA instructions of x86, up to four messages interleaved.
#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/crypto/sha256_ways.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#endif

namespace lb::sha256_ways {

#if defined(__x86_64__)

namespace {

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
[[gnu::target("sha,sse4.1")]] void run(Sha256States& all, const Sha256LaneBytes& bytes_of,
                                       std::size_t first, std::size_t blocks) {
  Halves states[lane_count];
  const std::uint8_t* bytes[lane_count];
  for (std::size_t n = 0; n < lane_count; ++n) {
    states[n] = load(all.get(first + n));
    bytes[n] = bytes_of[first + n];
  }
  for (; blocks > 0; --blocks) one_block<lane_count>(states, bytes);
  for (std::size_t n = 0; n < lane_count; ++n) {
    Sha256Words words;
    store(states[n], words);
    all.set(first + n, words);
  }
}

bool ask_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  bool shuffles = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return shuffles && (b & bit_SHA) != 0;
}

}  // namespace

bool instructions_supported() {
  static const bool supported = ask_processor();
  return supported;
}

void feed_instructions(Sha256States& states, const Sha256LaneBytes& bytes, std::size_t count,
                       std::size_t blocks) {
  LB_ASSERT(instructions_supported() && count >= 1 && count <= bytes.size());
  for (std::size_t first = 0; first < count; first += 4) {
    auto now = std::min<std::size_t>(count - first, 4);
    if (now == 1) run<1>(states, bytes, first, blocks);
    if (now == 2) run<2>(states, bytes, first, blocks);
    if (now == 3) run<3>(states, bytes, first, blocks);
    if (now == 4) run<4>(states, bytes, first, blocks);
  }
}

#else

bool instructions_supported() { return false; }
void feed_instructions(Sha256States&, const Sha256LaneBytes&, std::size_t, std::size_t) {
  LB_ASSERT(instructions_supported());
}

#endif

}  // namespace lb::sha256_ways
