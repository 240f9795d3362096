// The verbs of incidents, in the three files they are written in.
#pragma once

#include <functional>
#include <vector>

#include "app/cli/verbs.h"

namespace lb::cli {

std::vector<Verb> incident_saying_verbs();   // open, ack, note, assign, severity, close
std::vector<Verb> incident_showing_verbs();  // ls, show, suggest
Verb incident_watch_verb();
// Escalations, overdue tasks, messages; `look_around`, if there is one, every few minutes besides.
using LookAround = std::function<void()>;
Result<ExitCode> watch_people(const Shell& shell, const Args& args, const char* verb,
                              const LookAround& look_around);

}  // namespace lb::cli
