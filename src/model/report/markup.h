// Markup: writes HTML and SVG that is always balanced and always escaped. There is no way to add
// text unescaped but verbatim(), which is for our own constants and for finished Markup. Elements
// are written in the XML way (void ones end in "/>"), so that any parser can read the page. Private
// to this folder.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lb::report {

using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

class Markup {
 public:
  Markup& open(std::string_view tag, Attributes attributes = {});
  Markup& close();  // the innermost open element
  Markup& text(std::string_view text);
  Markup& leaf(std::string_view tag, std::string_view text, Attributes attributes = {});
  Markup& single(std::string_view tag, Attributes attributes = {});
  Markup& verbatim(std::string_view markup);
  std::string take() &&;  // everything must be closed

 private:
  void begin(std::string_view tag, Attributes attributes);
  std::string out_;
  std::vector<std::string> open_;
};

// Text for HTML and SVG: escaped, with control and broken bytes made visible as \xNN.
std::string escaped(std::string_view text);

}  // namespace lb::report
