// Commands of steps: run by /bin/sh with a limit, their output kept without secrets. Variables of
// the run are environment variables of the command, so that no answer of a person is ever a part of
// the command itself.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "foundation/sys/world.h"
#include "operations/runbook/acts.h"
#include "recovery/check/redactor.h"

namespace lb::runbook {

struct CommandWish {
  std::string text;
  Environment environment;
  std::string folder;  // working directory
  Micros limit = std::chrono::hours(1);
};

// What a command of this act is given: `own` without what the plan opens the repository with, the
// variables, and the run's id.
Environment environment_of(const Act& act, const std::map<std::string, std::string>& own);
std::string marker_of(const Act& act);

// data: code or signal, output (stdout and stderr, the end of each), took_us. Killed with its
// process group at its limit.
ActEnd run_command(World& world, const CommandWish& wish, const check::Redactor& redactor,
                   std::stop_token stop);
// Ends what a command with this marker left running, on this machine. Returns what it was.
std::vector<std::string> end_survivors(World& world, const std::string& marker);

// Takes the values of all references of the plan out of texts, as far as `own` knows them, and of
// variables of `own` whose names say that they hold a secret.
check::Redactor redactor_of(const plan::Plan& plan, const std::map<std::string, std::string>& own);

}  // namespace lb::runbook
