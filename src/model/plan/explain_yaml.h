// yaml_with_defaults: the checked tree of a plan written out again, every default filled in and
// every included file in place. Reads back without mistakes; comments and layout of the original
// are gone, so the text is the same for plans that mean the same.
#pragma once

#include <string>

#include "foundation/codec/yaml.h"

namespace lb::plan {

std::string yaml_with_defaults(const YamlNode& tree);

}  // namespace lb::plan
