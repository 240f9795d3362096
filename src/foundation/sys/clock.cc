#include "foundation/sys/clock.h"

#include <condition_variable>
#include <mutex>

namespace lb {

namespace {

class RealClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::floor<Micros>(std::chrono::system_clock::now());
  }

  Micros steady() const override {
    return std::chrono::floor<Micros>(std::chrono::steady_clock::now().time_since_epoch());
  }

  bool sleep(Micros duration, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any wakeup;
    std::unique_lock lock(mutex);
    wakeup.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

std::unique_ptr<Clock> real_clock() { return std::make_unique<RealClock>(); }

struct SimClock::State {
  mutable std::mutex mutex;
  Timestamp wall;
  Micros steady{0};
};

SimClock::SimClock(Timestamp start) : state_(std::make_unique<State>()) { state_->wall = start; }
SimClock::~SimClock() = default;

Timestamp SimClock::now() const {
  std::lock_guard lock(state_->mutex);
  return state_->wall;
}

Micros SimClock::steady() const {
  std::lock_guard lock(state_->mutex);
  return state_->steady;
}

bool SimClock::sleep(Micros duration, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  advance(duration);
  return true;
}

void SimClock::advance(Micros duration) {
  // Time never runs backwards here; a wait of less than nothing is no wait.
  if (duration < Micros(0)) return;
  std::lock_guard lock(state_->mutex);
  state_->wall += duration;
  state_->steady += duration;
}

void SimClock::set_wall(Timestamp time) {
  std::lock_guard lock(state_->mutex);
  state_->wall = time;
}

}  // namespace lb
