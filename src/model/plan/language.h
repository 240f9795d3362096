// The language of the plan, one function per section, each in a language_*.cc of its own.
// plan_shape is the whole file. What a section may contain is decided here and nowhere else.
#pragma once

#include "model/plan/shape.h"

namespace lb::plan {

const Shape& plan_shape();  // built at the first call

Shape objective_shape();
Shape repository_shape();
Shape stores_shape();
Shape groups_shape();
Shape targets_shape();
Shape masks_shape();
Shape checks_shape();
Shape drills_shape();
Shape runbooks_shape();
Shape people_shape();
Shape channels_shape();
Shape hours_shape();
Shape alerts_shape();
Shape escalation_shape();
Shape raci_shape();
Shape templates_shape();
Shape probes_shape();
Shape tasks_shape();
Shape evidence_shape();

// Sections whose keys are names that the rest of the plan refers to; `include:` joins them.
const std::vector<std::string>& named_sections();
// Templates that every plan has without writing them.
const std::vector<std::string>& built_in_templates();
// Verbs of checks that the language knows and no code runs yet.
const std::vector<std::string>& checks_not_built();
// Keys of a drill that the language knows and no code acts on yet.
const std::vector<std::string>& drill_keys_not_built();

}  // namespace lb::plan
