#include "model/plan/never_passing.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

bool asks_for(const Step& step, const Suite& suite, const Check& check) {
  if (step.verb == "check") return step.what.text == check.name;
  if (step.verb == "watch") {
    const auto* name = step.what.find("check");
    return name != nullptr && name->text == check.name;
  }
  if (step.verb != "verify") return false;
  const auto& items = step.what.items;
  return step.what.is_scalar() || std::any_of(items.begin(), items.end(), [&](const auto& item) {
           return item.text == suite.name;
         });
}

void add(const Plan& plan, const Step& step, std::vector<Mistake>& out) {
  for (const auto& asked : logs_asked_by(plan, step)) {
    out.push_back({step.place, cat(step.verb, ": ", asked, ", which is known in a drill only"),
                   "in earnest the step never passes: give it a suite without logs:", ""});
  }
  for (const auto& inner : step.parallel) add(plan, inner, out);
}

}  // namespace

std::vector<std::string> logs_asked_by(const Plan& plan, const Step& step) {
  std::vector<std::string> out;
  for (const auto& suite : plan.suites) {
    for (const auto& check : suite.checks) {
      const auto* logs = std::get_if<CheckLogs>(&check.what);
      if (logs != nullptr && asks_for(step, suite, check))
        out.push_back(cat("suite ", suite.name, " asks for the log of ", logs->service));
    }
  }
  return out;
}

std::vector<Mistake> never_passing(const Plan& plan) {
  std::vector<Mistake> out;
  for (const auto& runbook : plan.runbooks) {
    for (const auto& step : runbook.steps) add(plan, step, out);
  }
  return out;
}

}  // namespace lb::plan
