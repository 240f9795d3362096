// Chunks and keys for tests of this folder.
#pragma once

#include <map>

#include "foundation/sys/random.h"
#include "storage/index/table.h"

namespace lb::index {

inline SharedSeal test_seal() {
  return std::make_shared<const Seal>(Seal{Hmac(Buffer(32, 1)), "0123456789abcdef"});
}

inline std::map<Id, Place> some_chunks(std::uint64_t seed, std::size_t count) {
  auto random = seeded_random(seed);
  std::map<Id, Place> out;
  while (out.size() < count) {
    Id id;
    random->fill(id);
    auto number = static_cast<std::uint32_t>(out.size());
    out[id] = {number % 2, number % 60'000, 8 + number, 1 + number, number % 500'000, 1 + number};
  }
  return out;
}

}  // namespace lb::index
