#include "model/report/markup.h"

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/json.h"

namespace lb::report {

std::string escaped(std::string_view text) {
  // Line ends are kept and tabs widened (evidence is shown preformatted); other control bytes show
  // as \xNN.
  std::vector<std::string> lines;
  for (const auto& line : split(text, '\n'))
    lines.push_back(printable(replace_all(line, "\t", "    ")));
  return escape_html(join(lines, "\n"));
}

void Markup::begin(std::string_view tag, Attributes attributes) {
  out_ += '<';
  out_ += tag;
  for (const auto& [name, value] : attributes) {
    out_ += cat(' ', name, "=\"", escaped(value), '"');
  }
}

Markup& Markup::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  out_ += '>';
  open_.emplace_back(tag);
  return *this;
}

Markup& Markup::close() {
  LB_ASSERT(!open_.empty());
  out_ += cat("</", open_.back(), ">\n");
  open_.pop_back();
  return *this;
}

Markup& Markup::text(std::string_view text) {
  out_ += escaped(text);
  return *this;
}

Markup& Markup::leaf(std::string_view tag, std::string_view content, Attributes attributes) {
  return open(tag, attributes).text(content).close();
}

Markup& Markup::single(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  out_ += "/>\n";
  return *this;
}

Markup& Markup::verbatim(std::string_view markup) {
  out_ += markup;
  return *this;
}

std::string Markup::take() && {
  LB_ASSERT(open_.empty());
  return std::move(out_);
}

}  // namespace lb::report
