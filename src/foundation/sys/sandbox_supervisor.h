// The supervisor of one sandbox: a fresh execution of this program that enters the namespaces,
// arranges them, starts the first process inside, refuses and counts what tries to leave, and sends
// HTTP requests from inside. A fresh execution, so that nothing of Lifeboat's memory, its keys
// least of all, is in a process that faces what was restored. Private to foundation/sys.
#pragma once

#include <memory>

#include "foundation/sys/fork_thread.h"
#include "foundation/sys/launch.h"

namespace lb {

struct Supervisor {
  std::unique_ptr<RealChild> process;
  Descriptor requests;
};

Result<Supervisor> start_supervisor(const std::shared_ptr<ForkThread>& forker);

}  // namespace lb
