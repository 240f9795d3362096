#include "stores/files/meter.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::files {

namespace {
constexpr Micros interval = std::chrono::milliseconds(200);
}

Meter::Meter(const Clock& clock, ProgressSink sink, std::uint64_t total_bytes)
    : clock_(clock), sink_(std::move(sink)), total_bytes_(total_bytes), told_(clock.steady()) {}

void Meter::item(const std::string& path) {
  items_.fetch_add(1, std::memory_order_relaxed);
  if (!sink_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || clock_.steady() - told_ < interval) return;
  current_ = path;
  tell();
}

void Meter::bytes(std::uint64_t count) {
  bytes_.fetch_add(count, std::memory_order_relaxed);
  if (!sink_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && clock_.steady() - told_ >= interval) tell();
}

void Meter::expect(std::uint64_t total_bytes) {
  total_bytes_.store(total_bytes, std::memory_order_relaxed);
}

void Meter::finish() {
  if (!sink_) return;
  std::lock_guard lock(mutex_);
  current_.clear();
  tell();
}

void Meter::tell() {
  told_ = clock_.steady();
  auto done = done_bytes();
  auto expected = total_bytes_.load(std::memory_order_relaxed);
  auto total = expected == 0 ? 0 : std::max(done, expected);
  sink_({done, total, {}, items(), printable(current_)});
}

}  // namespace lb::files
