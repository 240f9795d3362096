// cached_bytes(): how much of a file the kernel holds in memory. For tests only.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lb::test {

// As mincore() sees it; nothing is read. 0 on an error, which the test notices.
inline std::size_t cached_bytes(const std::string& path, std::size_t size) {
  constexpr std::size_t page = 4096;
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  if (descriptor < 0) return 0;
  std::vector<unsigned char> pages((size + page - 1) / page);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (map == MAP_FAILED) return 0;  // NOLINT: the system's own constant
  const int told = ::mincore(map, size, pages.data());
  ::munmap(map, size);
  if (told != 0) return 0;
  return page * static_cast<std::size_t>(std::count_if(
                    pages.begin(), pages.end(), [](auto flags) { return (flags & 1) != 0; }));
}

// Lets go of what is held of a file, once it is on the disk.
inline void drop_cached(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  ASSERT_GE(descriptor, 0) << path;
  EXPECT_EQ(::fsync(descriptor), 0);
  EXPECT_EQ(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
  ::close(descriptor);
}

}  // namespace lb::test
