// Namespaces entered and privileges given up by the processes of a sandbox. All for single-threaded
// processes. Private to foundation/sys.
#pragma once

#include "foundation/sys/sandbox.h"

namespace lb {

// Enters fresh network, mount, ipc and uts namespaces; the next child is the first of a fresh pid
// namespace. Not root: also a user namespace in which the caller keeps its number. A kernel that
// does not allow it gives ErrorKind::unsupported with the reason.
Status enter_namespaces();

// Becomes the user for good: no groups, no capability now or later, no new privileges, no core
// dumps, not traceable; and dies when the parent does.
Status give_up_privileges(const UserId& user);

}  // namespace lb
