// Random: unpredictable bytes for keys, ids and nonces; the simulated twin is seeded. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "foundation/base/bytes.h"

namespace lb {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;
  Buffer bytes(std::size_t count);
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
};

std::unique_ptr<Random> real_random();                      // getrandom(2)
std::unique_ptr<Random> seeded_random(std::uint64_t seed);  // for tests and simulation only

}  // namespace lb
