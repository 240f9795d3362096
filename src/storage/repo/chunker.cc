#include "storage/repo/chunker.h"

#include <algorithm>

#include "foundation/crypto/hash.h"
#include "storage/repo/format.h"

namespace lb::repo {

namespace {

// 64 KiB is 2^16: before it a border needs two bits more, after it two bits less.
constexpr std::uint64_t mask_of(int bits) { return ~std::uint64_t{0} << (64 - bits); }
constexpr std::uint64_t mask_before = mask_of(18);
constexpr std::uint64_t mask_after = mask_of(14);

}  // namespace

Chunker::Chunker(const Secret& cut_key) {
  for (std::size_t i = 0; i < gear_.size(); ++i) {
    std::uint8_t index[2] = {static_cast<std::uint8_t>(i), 0x47};
    auto digest = hmac_sha256(cut_key.bytes(), index);
    for (std::size_t b = 0; b < 8; ++b) gear_[i] = (gear_[i] << 8) | digest[b];
  }
}

std::size_t Chunker::first(ByteView bytes) const {
  auto size = std::min(bytes.size(), chunk_bytes_max);
  if (size <= chunk_bytes_min) return size;
  std::uint64_t hash = 0;
  std::size_t i = chunk_bytes_min;
  for (auto end = std::min(size, chunk_bytes_normal); i < end; ++i) {
    hash = (hash << 1) + gear_[bytes[i]];
    if ((hash & mask_before) == 0) return i + 1;
  }
  for (; i < size; ++i) {
    hash = (hash << 1) + gear_[bytes[i]];
    if ((hash & mask_after) == 0) return i + 1;
  }
  return size;
}

}  // namespace lb::repo
