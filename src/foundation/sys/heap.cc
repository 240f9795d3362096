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

}  // namespace lb
