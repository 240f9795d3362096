// What a tabletop looks at on this machine: programs, places to restore into, ways to reach people.
#pragma once

#include "app/cli/session.h"
#include "operations/runbook/tabletop.h"

namespace lb::cli {

// Both are referred to. Of the session the plan and the references are asked.
runbook::TabletopLooks looks_of(const Shell& shell, const Session& session);

}  // namespace lb::cli
