// Terminal: a secret typed by a person, not shown and never in the command line or its history.
#pragma once

#include <stop_token>
#include <string>

#include "foundation/base/secret.h"

namespace lb {

// One line typed at `terminal` after the prompt, with the echo off while it is typed. unavailable:
// there is no terminal; cancelled: a stop came.
Result<Secret> ask_secret(const std::string& prompt, std::stop_token stop,
                          const std::string& terminal = "/dev/tty");

}  // namespace lb
