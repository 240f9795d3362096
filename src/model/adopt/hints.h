// For a step that a person does by hand: the step of the plan that would do it. A comment for the
// reviewer, never the step itself: words are too little to act on. Pure.
#pragma once

#include <string>

#include "model/adopt/draft.h"

namespace lb::adopt {

// "restore: {store: db, to: production, how: beside-then-swap}", or empty.
std::string hint_for(const Draft& draft, const std::string& text);

}  // namespace lb::adopt
