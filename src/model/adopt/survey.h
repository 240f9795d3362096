// Reads the blocks of an outline one after the other into a draft; keeps account of each. Pure.
#pragma once

#include "model/adopt/draft.h"

namespace lb::adopt {

void survey(Draft& draft);

// One step: its verb and what stands behind it.
Tree step_of(std::string_view verb, std::string text, std::size_t line);

}  // namespace lb::adopt
