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

void Evidence::add(std::string line) {
  if (lines_.size() < lines_max) {
    // Secrets are removed after this; a line is kept longer here so that the cut cannot leave half
    // of one standing.
    lines_.push_back(shortened(std::move(line), 16 * line_bytes_max));
    return;
  }
  ++left_out_;
}

std::vector<std::string> Evidence::lines() const {
  auto out = lines_;
  if (left_out_ > 0) out.back() = cat("and ", left_out_ + 1, " more");
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
