// Bounds of alerts: ({disk: 80%}), and what of a plan they measure. No mistake of the plan when
// that is nothing, but whoever waits for such an alert must know that none comes. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "model/plan/mistakes.h"
#include "model/plan/plan.h"

namespace lb::plan {

bool has_bound(const Plan& plan, std::string_view what);

// Those whose service runs in earnest: they have a url, and are no sandbox.
std::vector<const Target*> targets_in_service(const Plan& plan);

// Bounds that measure nothing in this plan, with their places and what they need.
std::vector<Mistake> bounds_of_nothing(const Plan& plan);

}  // namespace lb::plan
