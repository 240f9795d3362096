#include "recovery/mount/read_window.h"

#include <algorithm>

namespace lb::mount {

namespace {

// The kernel sends neighbouring reads at the same time, and they arrive in any
// order.
constexpr std::uint64_t disorder_bytes_max = 1 << 20;

}  // namespace

ReadWindow::Range ReadWindow::next(std::uint64_t offset, std::uint64_t size,
                                   std::uint64_t bytes_max) {
  auto end = offset + size;
  bool near = begun_ && offset <= end_ + disorder_bytes_max && end + disorder_bytes_max >= end_;
  if (!near) {
    begun_ = true;
    end_ = ahead_ = end;
    window_ = 0;
    return {};
  }
  if (end <= end_) return {};
  end_ = end;
  ahead_ = std::max(ahead_, end_);
  window_ = std::min(std::max(window_ * 2, window_bytes_min), bytes_max);
  // Asked for by halves of the window, so that requests to the store stay
  // large.
  auto goal = end_ + window_;
  if (goal < ahead_ + window_ / 2) return {};
  Range range{ahead_, goal};
  ahead_ = goal;
  return range;
}

}  // namespace lb::mount
