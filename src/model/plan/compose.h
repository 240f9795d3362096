// compose: one tree out of a plan file and everything it includes. Named sections are joined; a
// name defined twice, a cycle and a file that cannot be read are mistakes at the place that asks
// for them.
#pragma once

#include "model/plan/mistakes.h"

namespace lb::plan {

struct Composed {
  YamlNode root;
  std::vector<SourceFile> sources;  // node.source is the index
  bool readable = true;  // false: a file was no YAML at all, further passes are pointless
};

Composed compose(const std::string& file_name, const std::string& text, const Loader& loader,
                 MistakeList& mistakes);

}  // namespace lb::plan
