// Steps of runbooks that pass in a drill only: what a service writes is known of those that a drill
// has started. No mistake of the plan, whose drills may be all that it is for; pure.
#pragma once

#include <string>
#include <vector>

#include "model/plan/mistakes.h"
#include "model/plan/plan.h"

namespace lb::plan {

// The checks of the step that ask for a log, each as "suite api asks for the log of web".
std::vector<std::string> logs_asked_by(const Plan& plan, const Step& step);

// All of the plan's runbooks, with their places and what to do.
std::vector<Mistake> never_passing(const Plan& plan);

}  // namespace lb::plan
