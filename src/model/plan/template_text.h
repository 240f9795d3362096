// The text of a message template: plain text with {variables}; "{{" and "}}" are braces. Which
// variables there are is decided here, for the reader of plans and for who fills them. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb::plan {

struct TemplatePiece {
  bool variable = false;
  std::string text;  // of a variable: its name
};

// invalid: a variable that does not exist (hint: which was meant), or a brace that stands alone.
Result<std::vector<TemplatePiece>> parse_template(std::string_view text);

using TemplateValues = std::map<std::string, std::string>;

// invalid as above, or naming every variable without a value: a message with a gap is never sent.
Result<std::string> fill_template(std::string_view text, const TemplateValues& values);

// All variables, with what each means.
struct TemplateVariable {
  std::string_view name, means;
};
const std::vector<TemplateVariable>& template_variables();

// A template that every plan has; nothing when there is none of that name.
struct BuiltInTemplate {
  std::string_view name, subject, body;
};
const BuiltInTemplate* built_in_template(std::string_view name);

}  // namespace lb::plan
