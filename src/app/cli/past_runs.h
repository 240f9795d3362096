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
// Runs that cannot be read are said and left out.
Result<MeasuredRunbook> forecast_of(const Shell& shell, RunDesk& desk, const std::string& name);

}  // namespace lb::cli
