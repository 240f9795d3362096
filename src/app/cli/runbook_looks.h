// What a tabletop looks at on this machine: programs, places to restore into, ways to reach people.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/runbook/tabletop.h"

namespace lb::cli {

// Of the programs that the command is seen to start, those that are not here: "jq: not found in
// PATH". `folder`: where it runs.
std::vector<std::string> missing_programs(const Shell& shell, const std::string& folder,
                                          const std::string& command);

// Both are referred to. Of the session the plan and the references are asked.
runbook::TabletopLooks looks_of(const Shell& shell, const Session& session);

}  // namespace lb::cli
