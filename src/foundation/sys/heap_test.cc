#include "foundation/sys/heap.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>

namespace lb {
namespace {

std::size_t mapped_bytes() { return mallinfo2().hblkhd; }

TEST(Heap, MapsLargePiecesAlsoAfterLargerOnesWereFreed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer brings its own allocator";
#endif
  map_large_pieces();
  // Freed, this one would raise the limit.
  auto* larger = std::malloc(8 << 20);
  ASSERT_NE(larger, nullptr);
  std::free(larger);
  auto before = mapped_bytes();
  auto* piece = std::malloc(1 << 20);
  ASSERT_NE(piece, nullptr);
  EXPECT_GE(mapped_bytes(), before + (1 << 20));
  std::free(piece);
  EXPECT_EQ(mapped_bytes(), before);
}

}  // namespace
}  // namespace lb
