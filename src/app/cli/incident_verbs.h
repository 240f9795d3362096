// The verbs of incidents, in the three files they are written in.
#pragma once

#include <vector>

#include "app/cli/verbs.h"

namespace lb::cli {

std::vector<Verb> incident_saying_verbs();   // open, ack, note, assign, severity, close
std::vector<Verb> incident_showing_verbs();  // ls, show, suggest
Verb incident_watch_verb();

}  // namespace lb::cli
