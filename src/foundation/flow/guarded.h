// Guarded<T>: a value that can only be reached while its mutex is held. Used wherever threads share
// state; never hand a reference to the value out of the closure or past the handle's life.
#pragma once

#include <mutex>
#include <utility>

namespace lb {

template <typename T>
class Guarded {
 public:
  // Pointer-like; the mutex is released when it goes.
  class Handle {
   public:
    Handle(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    T& operator*() { return value_; }
    T* operator->() { return &value_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  Handle lock() { return Handle(mutex_, value_); }

  // The usual way: with([&](T& value) { ... }).
  template <typename Use>
  decltype(auto) with(Use&& use) {
    std::unique_lock lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace lb
