// BoundedQueue<T>: hands items from producing to consuming threads and holds at most `bytes_max`
// bytes of them (as the producers count them). An item larger than the bound is taken when the
// queue is empty, so nothing waits for ever. Every wait ends on stop or close. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace lb {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Waits for room. False: stopped or closed, and the item is gone.
  [[nodiscard]] bool push(T item, std::uint64_t bytes, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    auto room = [&] { return closed_ || items_.empty() || bytes_ + bytes <= bytes_max_; };
    if (!changed_.wait(lock, stop, room) || closed_ || stop.stop_requested()) return false;
    items_.push_back({std::move(item), bytes});
    bytes_ += bytes;
    changed_.notify_all();
    return true;
  }

  // Waits for an item. Empty: stopped, or closed and everything was taken.
  [[nodiscard]] std::optional<T> pop(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return closed_ || !items_.empty(); })) return std::nullopt;
    if (items_.empty() || stop.stop_requested()) return std::nullopt;
    auto entry = std::move(items_.front());
    items_.pop_front();
    bytes_ -= entry.bytes;
    changed_.notify_all();
    return std::move(entry.item);
  }

  // No more items will come; those inside can still be taken.
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  std::uint64_t bytes() const {
    std::unique_lock lock(mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    T item;
    std::uint64_t bytes;
  };

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Entry> items_;
  std::uint64_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace lb
