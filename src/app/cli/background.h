// The program once more, in the background: for verbs that go on after the
// command line is back.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"

namespace lb::cli {

// Starts this program with `words` in a session of its own, with our
// environment and outputs, and waits until `ready` says so. The exit code is
// that of the child when it ends before.
Result<ExitCode> run_in_background(const Shell& shell, std::vector<std::string> words,
                                   const std::function<bool()>& ready);

}  // namespace lb::cli
