// The tree of the plan out of what was found. Pure.
#pragma once

#include "model/adopt/draft.h"

namespace lb::adopt {

// After the survey. Objectives of scenarios are put to their runbooks here; those that fit none
// lose their place among what was understood.
Tree plan_tree(Draft& draft, const std::string& system);

}  // namespace lb::adopt
