// KillMoments: when to kill a process so that the kill finds it at work, whatever the speed of the
// machine. Moments are spread evenly over a window, which shrinks whenever the process had already
// ended; so a test asks for a number of kills that hit, not for a number of tries.
#pragma once

#include <chrono>
#include <random>

namespace lb::test {

class KillMoments {
 public:
  // Not thread-safe. `window`: longer than the work takes; `hits`: kills that must find it at work.
  KillMoments(std::chrono::milliseconds window, int hits, unsigned seed = std::random_device{}())
      : window_(window), wanted_(hits), chance_(seed) {}

  // Whether another kill is needed; false as well when it is hopeless, see `enough`.
  bool more() const { return hits_ < wanted_ && misses_ < 60; }
  // How long to let the next process run.
  std::chrono::microseconds next() {
    return std::chrono::microseconds(
        std::uniform_int_distribution<long>(0, window_.count())(chance_));
  }
  // Tells whether the process was still at work when it was killed.
  void killed(bool at_work) {
    if (at_work) {
      ++hits_;
    } else {
      ++misses_;
      window_ = window_ * 3 / 4;
    }
  }
  int hits() const { return hits_; }
  bool enough() const { return hits_ >= wanted_; }

 private:
  std::chrono::microseconds window_;
  int wanted_ = 0, hits_ = 0, misses_ = 0;
  std::mt19937 chance_;
};

}  // namespace lb::test
