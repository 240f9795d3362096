#include "model/adopt/contradictions.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

bool is_acceptance(const Draft& draft, std::size_t block, const std::string& text) {
  const auto& section = draft.outline.sections[draft.outline.section_of[block]];
  std::initializer_list<std::string_view> words = {"verif", "accept", "smoke test", "validat"};
  const auto& from = draft.outline.blocks[block];
  bool named = from.kind == Block::Kind::heading || from.kind == Block::Kind::item;
  return (named && mentions(text, words)) ||
         (section.role == Section::Role::phase && mentions(section.title, words));
}

}  // namespace

std::vector<Statement> statements_of(const Draft& draft) {
  std::vector<Statement> out;
  const auto& outline = draft.outline;
  std::vector<std::size_t> item_runbook(outline.blocks.size(), none);
  for (std::size_t i = 0; i < outline.blocks.size(); ++i) {
    const auto& block = outline.blocks[i];
    if (outline.embeds[i]) continue;  // its blocks follow
    bool fence = block.kind == Block::Kind::fence;
    auto root = outline.sections[outline.section_of[i]].runbook;
    auto line = block.line + (fence ? 1 : 0);
    for (const auto& text : split(block.text, '\n')) {
      Statement one;
      one.text = fence ? std::string(trim(text)) : plain(text);
      one.low = lower(one.text);
      one.line = line++;
      one.block = i;
      one.runbook = draft.runbook_of_block[i] != none ? draft.runbook_of_block[i]
                    : root == none                    ? none
                                                      : draft.runbook_of[root];
      one.command = fence;
      one.acceptance = is_acceptance(draft, i, one.text);
      if (!one.text.empty()) out.push_back(std::move(one));
    }
  }
  return out;
}

std::vector<Contradiction> find_contradictions(const Draft& draft) {
  std::vector<Contradiction> out;
  auto all = statements_of(draft);
  contradict_objectives(draft, all, out);
  contradict_commands(draft, all, out);
  contradict_words(draft, all, out);
  for (auto& one : out) {
    std::sort(one.lines.begin(), one.lines.end());
    one.lines.erase(std::unique(one.lines.begin(), one.lines.end()), one.lines.end());
  }
  constexpr std::size_t contradictions_max = 500;
  if (out.size() > contradictions_max) {
    auto more = out.size() - contradictions_max;
    out.resize(contradictions_max);
    out.push_back({{}, cat("and ", more, " more of these kinds"), "mend these first"});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.lines < b.lines; });
  return out;
}

}  // namespace lb::adopt
