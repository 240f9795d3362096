// A small subset of JSONPath: $, .member, ["member"], [index]. Internal to this folder, pure.
#pragma once

#include <optional>
#include <string>

#include "foundation/codec/json.h"

namespace lb::check {

// Null when nothing is there. invalid when `path` is not of the subset.
Result<const Json*> at_path(const Json& document, const std::string& path);

// Strings as they are, the rest as JSON; nullopt for null.
std::optional<std::string> scalar_text(const Json& value);

}  // namespace lb::check
