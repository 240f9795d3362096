#include "foundation/sys/heap.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <thread>

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

TEST(Heap, KeepsLargePiecesUntilTheyAreGivenBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer brings its own allocator";
#endif
  keep_large_pieces();
  std::thread([] {
    auto* piece = std::malloc(16 << 20);
    ASSERT_NE(piece, nullptr);
    std::memset(piece, 1, 16 << 20);
    std::free(piece);
  }).join();
  const auto kept = mallinfo2().fordblks;
  EXPECT_GE(kept, std::size_t{15} << 20);
  give_back_pieces();
  EXPECT_LT(mallinfo2().keepcost, std::size_t{1} << 20);
  map_large_pieces();
}

}  // namespace
}  // namespace lb
