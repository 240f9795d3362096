// The little XML that object stores answer with: elements and text. Attributes, comments and
// processing instructions are passed over; a document type is refused, so nothing can be defined,
// fetched or blown up. Bounded in depth and number. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb {

struct XmlNode {
  std::string name;  // without its namespace prefix
  std::string text;  // all text directly inside, entities resolved
  std::vector<XmlNode> children;

  const XmlNode* child(std::string_view name) const;  // the first of that name, or null
  std::string text_of(std::string_view name) const;   // of that child; empty when there is none
};

// The root element. corrupt when the text is not one whole document of that kind.
Result<XmlNode> parse_xml(std::string_view text);

}  // namespace lb
