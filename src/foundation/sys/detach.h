// start_detached: this program once more, as a process that outlives us: a session of its own, no
// descriptor of ours (a server that starts us waits for the end of its pipes), its words into a
// log file. Used to start the agent.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace lb {

// `words`: argv without the program, which is the running one. The environment is ours. Its process
// id, for detached_ended.
Result<int> start_detached(std::vector<std::string> words, const std::string& log_path);
// Whether one that we started has ended already.
bool detached_ended(int process);

}  // namespace lb
