// A system call filter for what runs in a sandbox: ways out of the machine that no namespace covers
// (virtual machine sockets, Bluetooth, raw links ...), key rings shared by all processes of a user,
// and io_uring, which would open sockets past the filter. Private to foundation/sys.
#pragma once

#include "foundation/base/result.h"

namespace lb {

// For this process and all it starts, for good. Needs "no new privileges" set before.
Status filter_system_calls();

}  // namespace lb
