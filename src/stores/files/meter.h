// Meter: live figures of a backup or restore, passed on some times a second. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "stores/seam/store.h"

namespace lb::files {

class Meter {
 public:
  Meter(const Clock& clock, ProgressSink sink, std::uint64_t total_bytes);
  void item(const std::string& path);  // one more is done
  void bytes(std::uint64_t count);
  void expect(std::uint64_t total_bytes);  // now that it is known
  void finish();                           // the last figures, whatever the time

  std::uint64_t items() const { return items_.load(std::memory_order_relaxed); }
  std::uint64_t done_bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  void tell();

  const Clock& clock_;
  const ProgressSink sink_;
  std::atomic<std::uint64_t> total_bytes_;
  std::atomic<std::uint64_t> items_ = 0, bytes_ = 0;
  std::mutex mutex_;  // guards what follows
  std::string current_;
  Micros told_{0};
};

}  // namespace lb::files
