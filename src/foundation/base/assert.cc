#include "foundation/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace lb {

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "lifeboat: internal error at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace lb
