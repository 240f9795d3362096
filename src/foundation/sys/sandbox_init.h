// The first process inside a sandbox (number 1 there): starts commands on request, tells how they
// ended, and reaps orphans. When it dies the kernel kills everything inside. Private to
// foundation/sys.
#pragma once

#include "foundation/sys/descriptor.h"
#include "foundation/sys/sandbox.h"

namespace lb {

// How a command ended, as sent over its status socket.
struct EndNote {
  int exit_code = -1;
  int signal = 0;
};

// Sends one status (ready or not) over the socket, then serves requests until the other side is
// gone.
[[noreturn]] void run_sandbox_init(Descriptor requests, const SandboxSpec& spec);

}  // namespace lb
