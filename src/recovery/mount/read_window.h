// ReadWindow: decides from the reads of one open file what will be wanted next.
// Reads that go forward open a window that doubles; one that jumps closes it.
// Pure; one thread at a time.
#pragma once

#include <cstdint>

namespace lb::mount {

inline constexpr std::uint64_t window_bytes_min = 512 << 10;
inline constexpr std::uint64_t window_bytes_max = 8 << 20;

class ReadWindow {
 public:
  struct Range {
    std::uint64_t from = 0, to = 0;  // bytes of the file, which may end earlier
    bool empty() const { return from >= to; }
  };
  // A read comes: what should be loaded behind it. Nothing is asked for twice.
  // `bytes_max` bounds the window now.
  Range next(std::uint64_t offset, std::uint64_t size, std::uint64_t bytes_max);

 private:
  bool begun_ = false;
  std::uint64_t end_ = 0;    // of the reads so far, as they go forward
  std::uint64_t ahead_ = 0;  // all before was read or asked for
  std::uint64_t window_ = 0;
};

}  // namespace lb::mount
