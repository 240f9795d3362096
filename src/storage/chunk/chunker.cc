#include "storage/chunk/chunker.h"

#include <algorithm>
#include <array>
#include <bit>

#include "foundation/base/assert.h"

namespace lb {

namespace {

constexpr std::size_t filter_bits = 10;  // of Candidates: one place in 1024

// Marked ahead of the deciding. More would be marked in vain behind a border.
constexpr std::size_t groups_at_once = 32;

constexpr std::uint64_t low_bits(std::size_t count) { return (std::uint64_t{1} << count) - 1; }

}  // namespace

Chunker::Chunker(const Secret& cut_key, const ChunkSizes& sizes, const CandidateKernel& kernel,
                 WindowPrf::Way way)
    : sizes_(sizes), mark_(kernel.mark), prf_(cut_key, way) {
  LB_ASSERT(sizes.min >= candidate_look_back && sizes.min <= sizes.normal &&
            sizes.normal <= sizes.max);
  LB_ASSERT(std::has_single_bit(sizes.normal) && sizes.normal >> (filter_bits + 2) > 0);
  auto bits = static_cast<std::size_t>(std::countr_zero(sizes.normal)) - filter_bits;
  strict_ = low_bits(bits + 2);
  mild_ = low_bits(bits - 2);
}

bool Chunker::decides(ByteView bytes, std::size_t place, std::uint64_t strictness) const {
  return (prf_.of(bytes.data() + place - prf_window_bytes) & strictness) == 0;
}

std::size_t Chunker::border(ByteView bytes, std::size_t from, std::size_t to,
                            std::uint64_t strictness) const {
  std::array<std::uint64_t, groups_at_once> masks;
  while (to - from >= group_places) {
    auto groups = std::min((to - from) / group_places, masks.size());
    mark_(bytes.data() + from, groups, masks.data());
    for (std::size_t group = 0; group < groups; ++group, from += group_places) {
      for (auto mask = masks[group]; mask != 0; mask &= mask - 1) {
        auto place = from + static_cast<std::size_t>(std::countr_zero(mask));
        if (decides(bytes, place, strictness)) return place;
      }
    }
  }
  for (; from < to; ++from) {
    if (is_candidate(bytes.data() + from) && decides(bytes, from, strictness)) return from;
  }
  return to;
}

std::size_t Chunker::first(ByteView bytes) const {
  auto size = std::min(bytes.size(), sizes_.max);
  if (size <= sizes_.min) return size;
  auto middle = std::min(size, std::max(sizes_.min, sizes_.normal / 8 * 5));
  auto place = border(bytes, sizes_.min, middle, strict_);
  return place < middle ? place : border(bytes, middle, size, mild_);
}

}  // namespace lb
