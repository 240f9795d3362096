#include "storage/chunk/candidates.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lb {

namespace {

// How two signed numbers of 16 bits, the halves of a word, are multiplied and summed: one vector
// instruction mixes all bits of a word into the middle of the result.
struct Factors {
  std::int16_t low, high;
};
// Of the two words that make eight bytes; of eight bytes that lie before eight; of sixteen before
// sixteen.
constexpr Factors newer{0x6a3d, -0x2f5b}, older{0x4e19, -0x5d8f};
constexpr Factors eight_before{0x35c7, -0x6b21}, sixteen_before{-0x5a6f, 0x7317};
// Ten bits from the middle decide. The pattern is not zero, so that runs of zeros have no
// candidates.
constexpr std::uint32_t tested_bits = 0x003ff000, pattern = 0x00155000;

std::uint32_t mix(std::uint32_t word, Factors by) {
  auto low = static_cast<std::int16_t>(word & 0xffff), high = static_cast<std::int16_t>(word >> 16);
  return static_cast<std::uint32_t>(low * by.low) + static_cast<std::uint32_t>(high * by.high);
}

std::uint32_t word_at(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

std::uint32_t mix_8(const std::uint8_t* place) {
  return mix(word_at(place - 4), newer) + mix(word_at(place - 8), older);
}

std::uint32_t mix_16(const std::uint8_t* place) {
  return mix_8(place) + mix(mix_8(place - 8), eight_before);
}

std::uint32_t mix_32(const std::uint8_t* place) {
  return mix_16(place) + mix(mix_16(place - 16), sixteen_before);
}

void mark_plain(const std::uint8_t* first, std::size_t groups, std::uint64_t* masks) {
  // What was mixed for the last sixteen places, by place modulo 16.
  std::uint32_t eights[16], sixteens[16];
  for (std::size_t i = 0; i < 16; ++i) {
    eights[i] = mix_8(first - 16 + i);
    sixteens[i] = mix_16(first - 16 + i);
  }
  for (std::size_t group = 0; group < groups; ++group, first += group_places) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < group_places; ++i) {
      auto eight = mix_8(first + i);
      auto sixteen = eight + mix(eights[(i + 8) % 16], eight_before);
      auto all = sixteen + mix(sixteens[i % 16], sixteen_before);
      eights[i % 16] = eight;
      sixteens[i % 16] = sixteen;
      if ((all & tested_bits) == pattern) mask |= std::uint64_t{1} << i;
    }
    masks[group] = mask;
  }
}

#if defined(__x86_64__)

constexpr int pair_of(Factors factors) {
  return static_cast<int>(static_cast<std::uint16_t>(factors.low) |
                          static_cast<std::uint32_t>(static_cast<std::uint16_t>(factors.high))
                              << 16);
}
// Lane k of the vectors that start at offset n belongs to place 4k + n.
constexpr std::uint64_t every_fourth_place = 0x1111111111111111;

// Each vector is one of four that together cover the places; eight bytes are two lanes, sixteen
// four. `before` are the vectors of the places before.
struct State256 {
  __m256i eight, sixteen;
};

[[gnu::target("avx2")]] inline __m256i load_256(const std::uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

[[gnu::target("avx2")]] inline __m256i mix_256(const std::uint8_t* place, State256& before) {
  auto eight =
      _mm256_add_epi32(_mm256_madd_epi16(load_256(place - 4), _mm256_set1_epi32(pair_of(newer))),
                       _mm256_madd_epi16(load_256(place - 8), _mm256_set1_epi32(pair_of(older))));
  auto earlier = _mm256_alignr_epi8(eight, _mm256_permute2x128_si256(before.eight, eight, 0x21), 8);
  auto sixteen =
      _mm256_add_epi32(eight, _mm256_madd_epi16(earlier, _mm256_set1_epi32(pair_of(eight_before))));
  earlier = _mm256_permute2x128_si256(before.sixteen, sixteen, 0x21);
  before = {eight, sixteen};
  return _mm256_add_epi32(sixteen,
                          _mm256_madd_epi16(earlier, _mm256_set1_epi32(pair_of(sixteen_before))));
}

[[gnu::target("avx2,bmi2")]] void mark_avx2(const std::uint8_t* first, std::size_t groups,
                                            std::uint64_t* masks) {
  const auto tested = _mm256_set1_epi32(static_cast<int>(tested_bits));
  const auto wanted = _mm256_set1_epi32(static_cast<int>(pattern));
  State256 before[4] = {};
#pragma GCC unroll 4
  for (std::size_t n = 0; n < 4; ++n) {
    (void)mix_256(first - 64 + n, before[n]);
    (void)mix_256(first - 32 + n, before[n]);
  }
  for (std::size_t group = 0; group < groups; ++group, first += group_places) {
    std::uint64_t mask = 0;
#pragma GCC unroll 8
    for (std::size_t n = 0; n < 8; ++n) {
      auto offset = n / 4 * 32 + n % 4;
      auto mixed = mix_256(first + offset, before[n % 4]);
      auto hits = _mm256_cmpeq_epi32(_mm256_and_si256(mixed, tested), wanted);
      auto lanes = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(hits)));
      mask |= _pdep_u64(lanes, every_fourth_place) << offset;
    }
    masks[group] = mask;
  }
}

// The forms without a mask make g++ 12 warn of its own header.
constexpr __mmask16 all_lanes = 0xffff;

struct State512 {
  __m512i eight, sixteen;
};

[[gnu::target("avx512f,avx512bw")]] inline __m512i mix_512(const std::uint8_t* place,
                                                           State512& before) {
  auto eight = _mm512_add_epi32(
      _mm512_madd_epi16(_mm512_loadu_si512(place - 4), _mm512_set1_epi32(pair_of(newer))),
      _mm512_madd_epi16(_mm512_loadu_si512(place - 8), _mm512_set1_epi32(pair_of(older))));
  auto earlier = _mm512_maskz_alignr_epi32(all_lanes, eight, before.eight, 14);
  auto sixteen =
      _mm512_add_epi32(eight, _mm512_madd_epi16(earlier, _mm512_set1_epi32(pair_of(eight_before))));
  earlier = _mm512_maskz_alignr_epi32(all_lanes, sixteen, before.sixteen, 12);
  before = {eight, sixteen};
  return _mm512_add_epi32(sixteen,
                          _mm512_madd_epi16(earlier, _mm512_set1_epi32(pair_of(sixteen_before))));
}

[[gnu::target("avx512f,avx512bw,bmi2")]] void mark_avx512(const std::uint8_t* first,
                                                          std::size_t groups,
                                                          std::uint64_t* masks) {
  const auto tested = _mm512_set1_epi32(static_cast<int>(tested_bits));
  const auto wanted = _mm512_set1_epi32(static_cast<int>(pattern));
  State512 before[4] = {};
#pragma GCC unroll 4
  for (std::size_t n = 0; n < 4; ++n) (void)mix_512(first - 64 + n, before[n]);
  for (std::size_t group = 0; group < groups; ++group, first += group_places) {
    std::uint64_t mask = 0;
#pragma GCC unroll 4
    for (std::size_t n = 0; n < 4; ++n) {
      auto mixed = mix_512(first + n, before[n]);
      auto lanes = _mm512_cmpeq_epi32_mask(_mm512_and_si512(mixed, tested), wanted);
      mask |= _pdep_u64(lanes, every_fourth_place) << n;
    }
    masks[group] = mask;
  }
}

#endif

std::vector<CandidateKernel> kernels_of_this_processor() {
  std::vector<CandidateKernel> out;
#if defined(__x86_64__)
  bool deposits = __builtin_cpu_supports("bmi2") != 0;
  if (deposits && __builtin_cpu_supports("avx512bw") != 0) out.push_back({"avx512", mark_avx512});
  if (deposits && __builtin_cpu_supports("avx2") != 0) out.push_back({"avx2", mark_avx2});
#endif
  out.push_back({"plain", mark_plain});
  return out;
}

}  // namespace

bool is_candidate(const std::uint8_t* place) { return (mix_32(place) & tested_bits) == pattern; }

const std::vector<CandidateKernel>& candidate_kernels() {
  static const auto kernels = kernels_of_this_processor();
  return kernels;
}

}  // namespace lb
