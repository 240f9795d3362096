#include "app/cli/estimate_watch.h"

#include <algorithm>

#include "app/cli/past_runs.h"
#include "foundation/base/text.h"
#include "storage/state/run_log.h"

namespace lb::cli {

std::vector<FarOff> judge_estimates(const std::string& runbook,
                                    const std::vector<runbook::TooSlow>& slow) {
  std::vector<FarOff> out;
  for (const auto& each : slow) {
    auto which = each.step == 0 ? std::string() : cat("step ", each.step, ": ");
    out.push_back({runbook, cat(which, each.text), each.often});
  }
  return out;
}

std::vector<FarOff> estimates_far_off(const Shell& shell, Session& session) {
  std::vector<FarOff> out;
  state::RunLog log(*session.journal, session.repository.get());
  const auto& plan = session.plan.plan;
  for (const auto& runbook : plan.runbooks) {
    auto made = measured_of(shell, plan, log, runbook.name);
    if (!made.ok()) {
      shell.console.warn(
          cat("what runs of ", runbook.name, " took is not known: ", made.error().text()));
      continue;
    }
    for (auto& each :
         judge_estimates(runbook.name, runbook::too_slow(made->script, made->forecast)))
      out.push_back(std::move(each));
  }
  return out;
}

}  // namespace lb::cli
