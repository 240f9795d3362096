#include "stores/postgres/page_sums.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstring>

#include "stores/postgres/page_check.h"

namespace lb::pg {

namespace {

constexpr std::size_t row_bytes = sizeof(PageSums);
constexpr std::size_t checksum_word = 2;  // bytes 8 and 9 of the header hold the checksum
constexpr std::uint32_t beside_checksum = 0xFFFF0000;

void mix_portable(const std::uint8_t* page, PageSums& sums) {
  for (std::size_t at = 0; at < page_bytes; at += row_bytes) {
    PageSums words;
    std::memcpy(words.data(), page + at, row_bytes);
    if (at == 0) words[checksum_word] &= beside_checksum;
    for (std::size_t lane = 0; lane < sums.size(); ++lane)
      sums[lane] = mix_page_sum(sums[lane], words[lane]);
  }
}

#if defined(__x86_64__)

constexpr std::size_t vector_bytes = 32, vectors = row_bytes / vector_bytes;

[[gnu::target("avx2")]] inline __m256i load_words(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

[[gnu::target("avx2")]] inline __m256i mix_words(__m256i sum, __m256i words, __m256i prime) {
  const __m256i mixed = _mm256_xor_si256(sum, words);
  return _mm256_xor_si256(_mm256_mullo_epi32(mixed, prime), _mm256_srli_epi32(mixed, 17));
}

[[gnu::target("avx2")]] void mix_avx2(const std::uint8_t* page, PageSums& sums) {
  const __m256i prime = _mm256_set1_epi32(16777619);
  __m256i state[vectors];
  for (std::size_t i = 0; i < vectors; ++i) state[i] = load_words(sums.data() + i * 8);
  std::uint32_t first[8];
  std::memcpy(first, page, sizeof first);
  first[checksum_word] &= beside_checksum;
  state[0] = mix_words(state[0], load_words(first), prime);
  for (std::size_t i = 1; i < vectors; ++i)
    state[i] = mix_words(state[i], load_words(page + i * vector_bytes), prime);
  for (std::size_t at = row_bytes; at < page_bytes; at += row_bytes) {
    for (std::size_t i = 0; i < vectors; ++i)
      state[i] = mix_words(state[i], load_words(page + at + i * vector_bytes), prime);
  }
  for (std::size_t i = 0; i < vectors; ++i)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums.data() + i * 8), state[i]);
}

#endif

}  // namespace

std::vector<PageSumsWay> page_sums_ways() {
  std::vector<PageSumsWay> out;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) out.push_back({"avx2", mix_avx2});
#endif
  out.push_back({"portable", mix_portable});
  return out;
}

}  // namespace lb::pg
