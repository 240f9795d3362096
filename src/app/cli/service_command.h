// Commands that the operator gives for a service: run by a shell in the plan's folder, with the
// environment of the program.
#pragma once

#include <functional>
#include <string>

#include "app/cli/session.h"

namespace lb::cli {

// What calls it. Its last words are in the error when it fails; it is killed after ten minutes.
// `shell` and `session` are referred to.
std::function<Status()> service_command(const Shell& shell, const Session& session,
                                        const std::string& command);

}  // namespace lb::cli
