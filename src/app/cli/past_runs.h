// What runs of a runbook took: in drills and in earnest, on every machine that shares the
// repository.
#pragma once

#include "app/cli/run_desk.h"
#include "operations/runbook/forecast.h"

namespace lb::cli {

struct MeasuredRunbook {
  runbook::Script script;  // of the plan as it is now; points into it
  runbook::Forecast forecast;
};
// What steps of this script took in runs of its runbook but `except`. Runs that cannot be read are
// said and left out.
Result<runbook::Forecast> forecast_of(const Shell& shell, state::RunLog& log,
                                      const runbook::Script& script,
                                      const std::string& except = "");
Result<MeasuredRunbook> measured_of(const Shell& shell, const plan::Plan& plan, state::RunLog& log,
                                    const std::string& name);
Result<MeasuredRunbook> forecast_of(const Shell& shell, RunDesk& desk, const std::string& name);

}  // namespace lb::cli
