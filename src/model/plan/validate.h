// validate: holds a tree against a Shape and lists everything that does not fit. Knows nothing of
// what the sections mean; rules that need more than one place of the plan are in rules.h.
#pragma once

#include "model/plan/mistakes.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

void validate(const YamlNode& root, const Shape& shape, const Names& names, MistakeList& mistakes);
// The alternative of an `either` that has the kind of this node, or null.
const Shape* alternative_for(const Shape& either, const YamlNode& node);
// The only verb of the node, or null when there is none or several.
const Verb* only_verb(const Shape& shape, const YamlNode& node);
// Whether a key or a text, as written, may be a reference such as "$failed_at".
bool is_variable(const Shape& shape, const YamlNode& node);

}  // namespace lb::plan
