#include "model/plan/alert_bounds.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

bool any_store(const Plan& plan, bool continuous_log) {
  return std::any_of(plan.stores.begin(), plan.stores.end(), [&](const auto& store) {
    return store.kind == StoreKind::postgres && (!continuous_log || store.log_continuous);
  });
}

// What a bound needs and the plan does not have; empty: it has it.
std::string lacking(const Plan& plan, const std::string& what) {
  if (what == "lag" && !any_store(plan, true)) return "a postgres store with log: continuous";
  const bool of_server = what == "connections" || what == "slow_queries";
  if (of_server && !any_store(plan, false)) return "a postgres store";
  const bool of_service = what == "response_time" || what == "error_rate";
  if (of_service && targets_in_service(plan).empty())
    return "a target with a url: that is not isolated";
  return {};
}

}  // namespace

bool has_bound(const Plan& plan, std::string_view what) {
  return std::any_of(plan.alerts.begin(), plan.alerts.end(), [&](const auto& rule) {
    return std::any_of(rule.bounds.begin(), rule.bounds.end(),
                       [&](const auto& bound) { return bound.what == what; });
  });
}

std::vector<const Target*> targets_in_service(const Plan& plan) {
  std::vector<const Target*> out;
  for (const auto& target : plan.targets) {
    if (!target.url.empty() && !target.isolate_network) out.push_back(&target);
  }
  return out;
}

std::vector<Mistake> bounds_of_nothing(const Plan& plan) {
  std::vector<Mistake> out;
  for (const auto& rule : plan.alerts) {
    for (const auto& bound : rule.bounds) {
      const auto needs = lacking(plan, bound.what);
      if (!needs.empty())
        out.push_back({bound.place, cat("alerts on ", bound.what, " measure nothing here"),
                       cat("they need ", needs), ""});
    }
  }
  return out;
}

}  // namespace lb::plan
