// ByteBudget: at most so many bytes in flight; a request larger than that waits until it is alone.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace lb::copy {

class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Given back when it goes.
  class Share {
   public:
    Share(ByteBudget& budget, std::uint64_t bytes, std::stop_token stop)
        : budget_(budget), bytes_(bytes) {
      std::unique_lock lock(budget_.mutex_);
      auto room = [&] {
        return budget_.used_ == 0 || budget_.used_ + bytes_ <= budget_.bytes_max_;
      };
      // A stop ends the wait too; whoever asked sees it at its next step.
      budget_.freed_.wait(lock, stop, room);
      budget_.used_ += bytes_;
    }
    ~Share() {
      std::lock_guard lock(budget_.mutex_);
      budget_.used_ -= bytes_;
      budget_.freed_.notify_all();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    ByteBudget& budget_;
    const std::uint64_t bytes_;
  };

 private:
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::uint64_t used_ = 0;
};

}  // namespace lb::copy
