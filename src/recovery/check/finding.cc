#include "recovery/check/finding.h"

#include "foundation/base/text.h"

namespace lb::check {

using record::CheckState;

std::string shortened(std::string text, std::size_t bytes_max) {
  constexpr std::string_view mark = "…";
  if (text.size() <= bytes_max) return text;
  std::size_t cut = bytes_max - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  text.resize(cut);
  return text.append(mark);
}

void Evidence::Lines::add(std::string line) {
  ++count;
  if (kept.size() == lines_max) return;
  // Secrets are removed after this; a line is kept longer here so that the cut cannot leave half of
  // one standing.
  kept.push_back(shortened(std::move(line), 16 * line_bytes_max));
}

void Evidence::problem(std::string line) { problems_.add(std::move(line)); }

void Evidence::add(std::string line) { others_.add(std::move(line)); }

std::vector<std::string> Evidence::lines() const {
  auto out = problems_.kept;
  out.insert(out.end(), others_.kept.begin(), others_.kept.end());
  auto count = problems_.count + others_.count;
  if (count <= lines_max) return out;
  out.resize(lines_max);
  out.back() = cat("and ", count - lines_max + 1, " more");
  return out;
}

void Finding::fail(std::string why) {
  if (state == CheckState::fail) return;
  state = CheckState::fail;
  reason = std::move(why);
}

void Finding::error(std::string why) {
  if (state != CheckState::pass) return;
  state = CheckState::error;
  reason = std::move(why);
}

}  // namespace lb::check
