// The 32 sums side by side that a page's checksum is folded of, the inner loop of every backup of
// pages: in vectors of eight where the processor has AVX2, which is chosen at run time. Pure.
// Private to page_check.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "foundation/base/bytes.h"

namespace lb::pg {

using PageSums = std::array<std::uint32_t, 32>;

inline std::uint32_t mix_page_sum(std::uint32_t sum, std::uint32_t value) {
  constexpr std::uint32_t fnv_prime = 16777619;
  const std::uint32_t mixed = sum ^ value;
  return (mixed * fnv_prime) ^ (mixed >> 17);
}

// `page`: one whole page, wherever it lies in memory. Its checksum field counts as zero.
struct PageSumsWay {
  const char* name;
  void (*mix)(const std::uint8_t* page, PageSums& sums);
};
// What this processor can do, the quickest first; all give the same.
std::vector<PageSumsWay> page_sums_ways();

}  // namespace lb::pg
