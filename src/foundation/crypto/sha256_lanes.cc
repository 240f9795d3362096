#include "foundation/crypto/sha256_lanes.h"

#include <algorithm>
#include <limits>

#include "foundation/base/assert.h"
#include "foundation/crypto/sha256_ways.h"

namespace lb {

namespace {

// The processor's own count: what is compared takes microseconds and is no time of the program.
std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

// Of a kernel with all its lanes taken: the shortest time of some, as others may use the processor.
std::uint64_t time_of(const Sha256Kernel& kernel) {
  constexpr std::size_t blocks = 16, tries = 5;
  static const std::array<std::uint8_t, blocks * sha256_block_bytes> bytes{};
  Sha256LaneBytes lanes;
  lanes.fill(bytes.data());
  Sha256States states;
  auto best = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < tries; ++i) {
    auto start = ticks();
    kernel.feed(states, lanes, kernel.lanes, blocks);
    best = std::min(best, ticks() - start);
  }
  return best;
}

// For every count of lanes the kernel that needs the shortest time; equal results, whoever it is.
class Choice {
 public:
  Choice() {
    const auto& kernels = sha256_kernels();
    if (kernels.empty()) return;
    std::vector<std::uint64_t> times;
    for (const auto& kernel : kernels) times.push_back(time_of(kernel));
    for (std::size_t count = 1; count <= sha256_lanes_max; ++count) {
      auto best = std::numeric_limits<std::uint64_t>::max();
      for (std::size_t i = 0; i < kernels.size(); ++i) {
        auto turns = (count + kernels[i].lanes - 1) / kernels[i].lanes;
        auto time = times[i] * turns;
        if (time >= best) continue;
        best = time;
        by_count_[count - 1] = &kernels[i];
      }
    }
    at_once_ = by_count_.back()->lanes;
  }

  std::size_t at_once() const { return at_once_; }
  const Sha256Kernel& of(std::size_t count) const { return *by_count_[count - 1]; }

 private:
  std::array<const Sha256Kernel*, sha256_lanes_max> by_count_{};
  std::size_t at_once_ = 0;
};

const Choice& choice() {
  static const Choice made;
  return made;
}

}  // namespace

const std::vector<Sha256Kernel>& sha256_kernels() {
  static const auto kernels = [] {
    std::vector<Sha256Kernel> out;
    if (sha256_ways::instructions_supported()) {
      out.push_back({"SHA instructions", 4, sha256_ways::feed_instructions});
    }
    if (sha256_ways::wide_supported()) out.push_back({"AVX-512", 16, sha256_ways::feed_wide});
    return out;
  }();
  return kernels;
}

std::size_t sha256_lanes_at_once() { return choice().at_once(); }

void sha256_lanes(Sha256States& states, const Sha256LaneBytes& bytes, std::size_t count,
                  std::size_t blocks) {
  LB_ASSERT(count >= 1 && count <= sha256_lanes_max && choice().at_once() > 0);
  choice().of(count).feed(states, bytes, count, blocks);
}

}  // namespace lb
