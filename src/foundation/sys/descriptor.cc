#include "foundation/sys/descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace lb {

int Descriptor::reset() {
  if (number_ < 0) return 0;
  int failed = ::close(std::exchange(number_, -1));
  return failed == 0 || errno == EINTR ? 0 : errno;
}

}  // namespace lb
