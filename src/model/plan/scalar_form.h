// ScalarForm: what each scalar Form is called, how an example looks, how it is judged, and the
// pattern that `plan schema` gives to editors. One table for the validator and the schema.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/codec/yaml.h"
#include "model/plan/shape.h"

namespace lb::plan {

// Names declared in one section of the plan.
struct Declared {
  std::vector<std::string> in_order;
  std::set<std::string> all;
};
using Names = std::map<std::string, Declared>;  // by section

struct ScalarForm {
  Form form;
  std::string_view what;     // "a duration"
  std::string_view pattern;  // regular expression of the schema; empty: any text
  Status (*judge)(const YamlNode& node, const Shape& shape, const Names& names);
};

// Null for structures.
const ScalarForm* scalar_form(Form form);
// "did you mean 'stores'?", or what there is to choose from, or nothing.
std::string suggest(const std::string& wrong, const std::vector<std::string>& known);
// The text as part of a message: printable, and cut when it is long.
std::string shown(std::string_view text);

}  // namespace lb::plan
