// SHA-256 (FIPS 180-4) of sixteen messages, one in each 32-bit lane of AVX-512 registers: word n of
// all messages lies in one register, so that the rounds are those of one message.
#include "foundation/base/assert.h"
#include "foundation/crypto/sha256_ways.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lb::sha256_ways {

#if defined(__x86_64__)

#define LB_WIDE [[gnu::target("avx512f,avx512bw"), gnu::always_inline]] inline

namespace {

using Words = __m512i;  // the same word of sixteen messages

// Truth tables of vpternlogd, first argument in the highest bit.
constexpr int ternary_xor = 0x96, ternary_choose = 0xCA, ternary_majority = 0xE8;

LB_WIDE Words add(Words a, Words b) { return _mm512_add_epi32(a, b); }

template <int first, int second, int third>
LB_WIDE Words rotations(Words x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, first), _mm512_ror_epi32(x, second),
                                   _mm512_ror_epi32(x, third), ternary_xor);
}

template <int first, int second, int shift>
LB_WIDE Words schedule_part(Words x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, first), _mm512_ror_epi32(x, second),
                                   _mm512_srli_epi32(x, shift), ternary_xor);
}

// Rows of sixteen words become columns.
LB_WIDE void transpose(Words (&rows)[16]) {
  Words pairs[16], fours[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  constexpr int even = 0x88, odd = 0xDD;  // which quarters of both arguments
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    auto a = _mm512_shuffle_i32x4(fours[i], fours[i + 4], even);
    auto b = _mm512_shuffle_i32x4(fours[i], fours[i + 4], odd);
    auto c = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], even);
    auto d = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], odd);
    rows[i] = _mm512_shuffle_i32x4(a, c, even);
    rows[i + 8] = _mm512_shuffle_i32x4(a, c, odd);
    rows[i + 4] = _mm512_shuffle_i32x4(b, d, even);
    rows[i + 12] = _mm512_shuffle_i32x4(b, d, odd);
  }
}

// `state` is a to h, turned by `turn` places instead of being moved; `word` is that of the round.
LB_WIDE void one_round(Words (&state)[8], std::size_t turn, Words word, std::uint32_t constant) {
  auto at = [&](std::size_t n) -> Words& { return state[(n + 8 - turn % 8) % 8]; };
  auto e = at(4), a = at(0);
  auto first =
      add(add(at(7), add(word, _mm512_set1_epi32(static_cast<int>(constant)))),
          add(rotations<6, 11, 25>(e), _mm512_ternarylogic_epi32(e, at(5), at(6), ternary_choose)));
  auto second =
      add(rotations<2, 13, 22>(a), _mm512_ternarylogic_epi32(a, at(1), at(2), ternary_majority));
  at(3) = add(at(3), first);
  at(7) = add(first, second);
}

LB_WIDE void one_block(Words (&state)[8], Words (&words)[16]) {
#pragma GCC unroll 4
  for (std::size_t round = 0; round < 64; round += 16) {
#pragma GCC unroll 16
    for (std::size_t n = 0; n < 16; ++n) {
      one_round(state, n, words[n], round_constants[round + n]);
      if (round == 48) continue;
      words[n] = add(add(words[n], schedule_part<7, 18, 3>(words[(n + 1) % 16])),
                     add(words[(n + 9) % 16], schedule_part<17, 19, 10>(words[(n + 14) % 16])));
    }
  }
}

[[gnu::target("avx512f,avx512bw")]] void feed(Sha256States& states, const Sha256LaneBytes& bytes,
                                              std::size_t blocks) {
  const auto swap =
      _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
  constexpr std::size_t ahead = 4 * sha256_block_bytes;
  Words state[8], before[8], words[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) state[i] = _mm512_load_si512(states.words[i].data());
  for (std::size_t block = 0; block < blocks; ++block) {
    auto at = block * sha256_block_bytes;
#pragma GCC unroll 16
    for (std::size_t lane = 0; lane < 16; ++lane) {
      words[lane] = _mm512_shuffle_epi8(_mm512_loadu_si512(bytes[lane] + at), swap);
      // The processor itself looks ahead for fewer streams than these.
      if (block + 4 < blocks) _mm_prefetch(bytes[lane] + at + ahead, _MM_HINT_T0);
    }
    transpose(words);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) before[i] = state[i];
    one_block(state, words);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) state[i] = add(state[i], before[i]);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) _mm512_store_si512(states.words[i].data(), state[i]);
}

}  // namespace

bool wide_supported() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

void feed_wide(Sha256States& states, const Sha256LaneBytes& bytes, std::size_t count,
               std::size_t blocks) {
  LB_ASSERT(wide_supported() && count >= 1 && count <= bytes.size());
  if (count == bytes.size()) return feed(states, bytes, blocks);
  auto all = bytes;  // lanes that nobody uses hash what is there anyway, and keep their state
  for (auto lane = count; lane < all.size(); ++lane) all[lane] = bytes[0];
  auto out = states;
  feed(out, all, blocks);
  for (std::size_t lane = 0; lane < count; ++lane) states.set(lane, out.get(lane));
}

#undef LB_WIDE

#else

bool wide_supported() { return false; }
void feed_wide(Sha256States&, const Sha256LaneBytes&, std::size_t, std::size_t) {
  LB_ASSERT(wide_supported());
}

#endif

}  // namespace lb::sha256_ways
