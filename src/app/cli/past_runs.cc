#include "app/cli/past_runs.h"

#include "foundation/base/text.h"

namespace lb::cli {

namespace {

// Those that can be read; one that is damaged says nothing of the others.
Result<std::vector<runbook::PastRun>> past_of(const Shell& shell, state::RunLog& log,
                                              const std::string& name, const std::string& except,
                                              std::vector<std::unique_ptr<RunDesk>>& kept) {
  std::vector<runbook::PastRun> out;
  auto heads = LB_TRY(log.runs(true));
  for (const auto& head : heads) {
    if (head.runbook != name || head.id == except) continue;
    auto one = std::make_unique<RunDesk>();
    one->run = head.id;
    one->runbook = name;
    auto read = read_run(log, *one);
    auto state = read.ok() ? runbook::fold(one->script, head.id, one->events)
                           : Result<runbook::RunState>(read.error());
    if (!state.ok()) {
      shell.console.warn(cat("run ", head.id, " is left out: ", state.error().text()));
      continue;
    }
    out.push_back({one->script, std::move(state).take()});
    kept.push_back(std::move(one));  // scripts point into their plans
  }
  return out;
}

}  // namespace

Result<runbook::Forecast> forecast_of(const Shell& shell, state::RunLog& log,
                                      const runbook::Script& script, const std::string& except) {
  std::vector<std::unique_ptr<RunDesk>> kept;
  auto past = LB_TRY(past_of(shell, log, script.runbook, except, kept));
  return runbook::forecast(script, past);
}

Result<MeasuredRunbook> measured_of(const Shell& shell, const plan::Plan& plan, state::RunLog& log,
                                    const std::string& name) {
  const auto* found = plan.runbook(name);
  std::map<std::string, std::string> given;
  if (found != nullptr) {
    for (const auto& parameter : found->parameters)
      given[parameter.name] = parameter.kind == "time"      ? "latest"
                              : parameter.kind == "boolean" ? "true"
                                                            : "0";
  }
  MeasuredRunbook out;
  out.script = LB_TRY(runbook::make_script(plan, name, given));
  out.forecast = LB_TRY(forecast_of(shell, log, out.script));
  return out;
}

Result<MeasuredRunbook> forecast_of(const Shell& shell, RunDesk& desk, const std::string& name) {
  return measured_of(shell, desk.session->plan.plan, *desk.log, name);
}

}  // namespace lb::cli
