// The plan's checks, run on what is about to take the place of something live.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"

namespace lb::cli {

// A restored database that is asked. `run_marker`: its setting lifeboat.run.
struct CheckedCopy {
  std::string store, connection, run_marker;
};
// check_not_met (exit 4) with the first reason unless all suites pass; each result is said. None
// is fine.
Status run_suites(const Shell& shell, const Session& session,
                  const std::vector<std::string>& suites, const CheckedCopy& copy);

}  // namespace lb::cli
