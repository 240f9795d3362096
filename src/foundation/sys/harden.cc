#include "foundation/sys/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

namespace lb {

Status harden_process() {
  rlimit none{};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error(errno, "switch core dumps off");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return system_error(errno, "refuse tracing");
  return {};
}

}  // namespace lb
