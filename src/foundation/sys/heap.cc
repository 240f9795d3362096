#include "foundation/sys/heap.h"

#include <cstdlib>  // tells whose library it is

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace lb {

void map_large_pieces() {
#if defined(__GLIBC__)
  (void)mallopt(M_MMAP_THRESHOLD, large_piece_bytes);  // refused only when it is out of range
#endif
}

void keep_large_pieces() {
#if defined(__GLIBC__)
  constexpr int largest_allowed = 32 << 20, never_trimmed = 1 << 30;
  (void)mallopt(M_MMAP_THRESHOLD, largest_allowed);
  (void)mallopt(M_TRIM_THRESHOLD, never_trimmed);
  (void)mallopt(M_ARENA_MAX, 1);
#endif
}

void give_back_pieces() {
#if defined(__GLIBC__)
  (void)malloc_trim(0);
#endif
}

}  // namespace lb
