// The tree of the plan out of what was found. Pure.
#pragma once

#include "model/adopt/draft.h"

namespace lb::adopt {

// After the survey. Objectives of scenarios are put to their runbooks here; those that fit none
// lose their place among what was understood.
Tree plan_tree(Draft& draft, const std::string& system);

// Reviews that ask for a restore to be tried become drills of the plan, with checks that fit any
// data of their kind. Others stay tasks. Adds to draft.checks; gives the drills.
Tree drills_of(Draft& draft);

}  // namespace lb::adopt
