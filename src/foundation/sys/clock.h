// Clock: wall time, steady time and waiting. Real and simulated twins. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "foundation/base/time.h"

namespace lb {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;  // wall clock, UTC
  virtual Micros steady() const = 0;  // never goes back; only differences mean something
  // Waits; returns false when `stop` was requested first.
  virtual bool sleep(Micros duration, std::stop_token stop) = 0;
};

std::unique_ptr<Clock> real_clock();

// Time moves only by advance() and sleep(), which advances at once.
class SimClock final : public Clock {
 public:
  explicit SimClock(Timestamp start);
  ~SimClock() override;
  Timestamp now() const override;
  Micros steady() const override;
  bool sleep(Micros duration, std::stop_token stop) override;
  void advance(Micros duration);
  void set_wall(Timestamp time);  // a jump of the wall clock alone

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lb
