// Whereabouts: which host, person and process write to the journal, and whether a process that
// wrote is gone. A number alone does not name a process: it is written with its start, its boot and
// its pid namespace. Read from /proc; what cannot be read stays empty. Private to this folder.
#pragma once

#include <string>

#include "foundation/sys/files.h"

namespace lb::state {

struct Whereabouts {
  std::string host;     // "unknown" when it cannot be read
  std::string actor;    // user name, or "uid 0"
  std::string process;  // "boot/namespace/pid/start"
};

Whereabouts whereabouts(Files& files);

// Whether the process that wrote `process` on this host has ended. One that cannot be seen from
// here (another pid namespace of the same boot) is taken to live; one that left no name is taken to
// be gone.
bool process_gone(Files& files, const std::string& process, const std::string& own);

}  // namespace lb::state
