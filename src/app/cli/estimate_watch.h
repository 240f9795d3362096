// Which runbooks take far longer than the plan says: by what their runs and drills took.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/runbook/forecast.h"

namespace lb::cli {

struct FarOff {
  std::string runbook, text;
  bool often = false;  // in half of all cases: an alarm; else only in one of ten
};
// In one sentence each; nothing of a runbook that keeps to its times, or was never measured.
std::vector<FarOff> judge_estimates(const std::string& runbook,
                                    const std::vector<runbook::TooSlow>& slow);
// Of all runbooks of the plan. What cannot be read is said and left out.
std::vector<FarOff> estimates_far_off(const Shell& shell, Session& session);

}  // namespace lb::cli
