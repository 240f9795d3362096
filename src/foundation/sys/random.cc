#include "foundation/sys/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <mutex>

namespace lb {

Buffer Random::bytes(std::size_t count) {
  Buffer out(count);
  fill(out);
  return out;
}

std::uint64_t Random::below(std::uint64_t bound) {
  LB_ASSERT(bound > 0);
  // Values past the last whole multiple of the bound would favour small results: draw again.
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t surplus = (max % bound + 1) % bound;
  for (;;) {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    if (value <= max - surplus) return value % bound;
  }
}

namespace {

class RealRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    while (!out.empty()) {
      auto got = ::getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      // Going on with predictable keys would be worse than stopping.
      LB_ASSERT(got > 0);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

// SplitMix64: every seed gives a full-period sequence, and the same one on every machine.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void fill(MutableBytes out) override {
    std::lock_guard lock(mutex_);
    while (!out.empty()) {
      auto word = next();
      auto count = std::min<std::size_t>(out.size(), sizeof word);
      for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::uint8_t>(word >> (8 * i));
      }
      out = out.subspan(count);
    }
  }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace

std::unique_ptr<Random> real_random() { return std::make_unique<RealRandom>(); }
std::unique_ptr<Random> seeded_random(std::uint64_t seed) {
  return std::make_unique<SeededRandom>(seed);
}

}  // namespace lb
