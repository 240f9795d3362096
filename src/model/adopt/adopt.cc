#include "model/adopt/adopt.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/contradictions.h"
#include "model/adopt/draft.h"
#include "model/adopt/encoding.h"
#include "model/adopt/plan_tree.h"
#include "model/adopt/survey.h"
#include "model/adopt/words.h"
#include "model/plan/secrets.h"

namespace lb::adopt {

namespace {

constexpr std::size_t pieces_max = 10'000;
constexpr std::size_t values_max = 45'000;  // a plan may have 50,000

Status check_input(std::string_view markdown) {
  if (markdown.size() > markdown_bytes_max) {
    return Error(ErrorKind::invalid, cat("more than ", human_size(markdown_bytes_max), " of text"))
        .with_hint("a runbook is never this long: import its parts one by one");
  }
  if (markdown.find('\0') != std::string_view::npos) {
    return Error(ErrorKind::invalid, "not a text: it holds zero bytes")
        .with_hint("give the Markdown source, not a rendered document");
  }
  if (trim(markdown).empty()) return Error(ErrorKind::invalid, "it holds no text");
  return {};
}

std::string one_line(std::string_view text) {
  constexpr std::size_t shown_max = 120;
  auto line = plain(text);
  auto cut = line.size() > shown_max;
  auto end = std::min(line.size(), shown_max);
  while (end > 0 && end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
    --end;
  return printable(plan::hide_secrets(line.substr(0, end))) + (cut ? "…" : "");
}

std::vector<Piece> pieces_of(const Draft& draft) {
  std::vector<Piece> out;
  for (std::size_t i = 0; i < draft.outline.blocks.size(); ++i) {
    const auto& block = draft.outline.blocks[i];
    const auto& placed = draft.placed[i];
    auto text = block.kind == Block::Kind::row ? join(block.cells, " | ") : block.text;
    out.push_back({block.line, block.kind, one_line(text), placed.understood, placed.became});
  }
  return out;
}

void count(const Draft& draft, Adoption& out) {
  out.runbooks = draft.runbooks.size();
  for (const auto& runbook : draft.runbooks) {
    for (const auto& step : runbook.steps) {
      bool phase = step.find("phase") != nullptr;
      ++(phase ? out.phases : out.steps);
      if (step.find("checklist") != nullptr) ++out.checklists;
      if (step.find("review") != nullptr) ++out.to_review;
    }
  }
}

std::string head(const std::string& file) {
  return cat(
      "# Made from ", comment_line(file),
      " by lifeboat runbook import: a beginning, to be read by people.\n"
      "# Steps with `review: required` are not done before a person has read them and taken the\n"
      "# line out. What is marked \"not in the source\" is to be set. See the end of this file\n"
      "# for what was not understood and what contradicts itself.\n");
}

std::string lines_text(const std::vector<std::size_t>& lines) {
  std::vector<std::string> out;
  for (auto line : lines) out.push_back(std::to_string(line));
  return join(out, ", ");
}

std::string tail(const Draft& draft, const Adoption& found) {
  std::string out;
  auto part = [&](std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += cat("\n# ", title, "\n");
    for (const auto& line : lines) out += cat("#   ", comment_line(line), "\n");
  };
  std::vector<std::string> missed, against, changed;
  for (const auto& piece : found.pieces) {
    if (!piece.understood) missed.push_back(cat(draft.at(piece.line), ": ", piece.text));
  }
  for (const auto& one : found.contradictions)
    against.push_back(
        cat(draft.file, ":", lines_text(one.lines), ": ", one.text, " (", one.advice, ")"));
  for (const auto& one : found.remarks) changed.push_back(cat(draft.at(one.line), ": ", one.text));
  part("Contradicts itself:", against);
  part("Changed or left out:", changed);
  part("Not understood, and not in this plan:", missed);
  part("As the source words it:", draft.prose);
  return out;
}

std::string system_of(const std::string& file) {
  auto name = file.substr(file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
  return slug(name.substr(0, name.find('.')));
}

}  // namespace

std::size_t Adoption::not_understood() const {
  return static_cast<std::size_t>(std::count_if(
      pieces.begin(), pieces.end(), [](const Piece& piece) { return !piece.understood; }));
}

Result<Adoption> adopt(const std::string& file, std::string_view markdown,
                       const std::string& system) {
  LB_TRY(check_input(markdown));
  auto text = mend_encoding(markdown);
  auto outline = outline_of(text.text);
  if (outline.blocks.size() > pieces_max) {
    return Error(ErrorKind::invalid, cat("more than ", pieces_max, " headings, items and rows"))
        .with_hint("import its parts one by one");
  }
  auto name = file.substr(file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
  Draft draft(outline, name);
  find_stores(draft);
  survey(draft);
  Adoption out;
  out.contradictions = find_contradictions(draft);
  for (const auto& mend : text.mends)
    out.remarks.push_back(
        {mend.line, cat("broken UTF-8: '", mend.before, "' became '", mend.after, "'")});
  auto tree = plan_tree(draft, system.empty() ? system_of(file) : system);
  auto written = write_yaml(tree, name);
  for (auto line : written.secrets) draft.secrets.push_back(line);
  std::sort(draft.secrets.begin(), draft.secrets.end());
  for (auto line : draft.secrets)
    out.remarks.push_back({line, "looks like a secret and was not copied"});
  out.pieces = pieces_of(draft);
  count(draft, out);
  if (written.values > values_max) {
    return Error(ErrorKind::invalid, cat("it would become a plan of ", written.values,
                                         " values; a plan may have 50,000"))
        .with_hint("import its parts one by one");
  }
  out.yaml = head(name) + written.yaml + tail(draft, out);
  return out;
}

}  // namespace lb::adopt
