// The file system as seen inside a sandbox: the host's, read-only, with socket folders, homes and
// every folder that holds a listening host socket hidden, and the visible folders put back. To be
// called in a fresh mount namespace. Private to foundation/sys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/sys/sandbox.h"

namespace lb {

// Paths of listening Unix sockets, from the text of /proc/net/unix. Pure.
std::vector<std::string> listening_sockets(std::string_view proc_net_unix);

// What to cover so that the socket cannot be reached: its folder, or the socket alone when the
// folder holds what every program needs (/dev, /etc, /var/lib ...). Pure.
struct Cover {
  std::string path;
  bool folder = false;
};
Cover cover_for(const std::string& socket);

// Returns sentences about what was done, for Sandbox::isolation().
Result<std::vector<std::string>> arrange_mounts(const SandboxSpec& spec,
                                                const std::vector<std::string>& host_sockets);
Status mount_fresh_proc();

}  // namespace lb
