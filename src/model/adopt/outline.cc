#include "model/adopt/outline.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/shell_text.h"
#include "model/adopt/words.h"

namespace lb::adopt {

namespace {

bool is_document(const Block& block) {
  return block.kind == Block::Kind::fence &&
         (block.language == "markdown" || block.language == "md");
}

// A document inside a fence stands below the heading that leads to it.
void splice(const std::vector<Block>& from, int depth, int below, Outline& out) {
  constexpr int depth_max = 4;
  int level = below;
  for (const auto& block : from) {
    bool embeds = is_document(block) && depth < depth_max;
    out.blocks.push_back(block);
    out.embeds.push_back(embeds);
    if (block.kind == Block::Kind::heading) {
      out.blocks.back().level += below;
      level = out.blocks.back().level;
    }
    if (embeds) splice(parse_markdown(block.text, block.line + 1), depth + 1, level, out);
  }
}

bool leads_elsewhere(const Block& block) { return block.text.find("](#") != std::string::npos; }

class Builder {
 public:
  explicit Builder(Outline& out) : out_(out), sections_(out.sections) {}

  void run() {
    cut();
    auto top = children_of(0);
    classify_own(0);
    if (top.size() == 1 && sections_[top[0]].level == 1) {  // the title of the document
      if (has_steps_below(top[0])) return make_runbook(top[0], sections_[top[0]].end);
      classify_own(top[0]);
      top = children_of(top[0]);
    }
    for (auto section : top) classify(section);
  }

 private:
  void cut() {
    Section whole;
    whole.end = whole.own_end = out_.blocks.size();
    sections_.push_back(whole);
    std::vector<std::size_t> open = {0};
    for (std::size_t i = 0; i < out_.blocks.size(); ++i) {
      const auto& block = out_.blocks[i];
      if (block.kind == Block::Kind::heading) {
        while (sections_[open.back()].level >= block.level) close(open, i);
        auto& parent = sections_[open.back()];
        parent.own_end = std::min(parent.own_end, i);
        Section section;
        section.level = block.level;
        section.heading = section.first = i;
        section.end = section.own_end = out_.blocks.size();
        section.parent = open.back();
        section.title = plain(block.text);
        sections_.push_back(section);
        open.push_back(sections_.size() - 1);
      }
      out_.section_of.push_back(open.back());
    }
  }

  void close(std::vector<std::size_t>& open, std::size_t at) {
    auto& section = sections_[open.back()];
    section.end = at;
    section.own_end = std::min(section.own_end, at);
    open.pop_back();
  }

  std::vector<std::size_t> children_of(std::size_t parent) const {
    std::vector<std::size_t> out;
    for (std::size_t i = parent + 1;
         i < sections_.size() && sections_[i].first < sections_[parent].end; ++i) {
      if (sections_[i].parent == parent) out.push_back(i);
    }
    return out;
  }

  bool procedural(std::size_t first, std::size_t end) const {
    return std::any_of(out_.blocks.begin() + static_cast<std::ptrdiff_t>(first),
                       out_.blocks.begin() + static_cast<std::ptrdiff_t>(end), is_procedural);
  }
  bool own_procedural(std::size_t section) const {
    return procedural(sections_[section].first, sections_[section].own_end);
  }

  // "Scenario 2: …", "If the restore fails": a failure and what to do about it.
  static bool is_failure(const std::string& title) {
    auto words = words_of(title);
    if (words.empty()) return false;
    bool counted = words[0] == "scenario" || words[0] == "incident";
    return counted || ((words[0] == "if" || words[0] == "when") && words.size() > 2);
  }
  static bool holds_runbooks(const std::string& title) {
    auto words = words_of(title);
    if (words.empty()) return false;
    if (words.back() == "scenarios") return true;
    bool plural = words[0] == "procedures" || words[0] == "runbooks" || words[0] == "playbooks";
    return words.size() == 1 && plural;
  }

  void make_runbook(std::size_t section, std::size_t end) {
    sections_[section].role = Section::Role::runbook;
    sections_[section].runbook = section;
    for (std::size_t i = section + 1; i < sections_.size() && sections_[i].first < end; ++i) {
      if (sections_[i].runbook != none) continue;
      sections_[i].role = Section::Role::phase;
      sections_[i].runbook = section;
    }
  }

  // Of a section above others: only what stands before the first of them.
  void classify_own(std::size_t section) {
    if (!own_procedural(section)) return;
    sections_[section].role = Section::Role::runbook;
    sections_[section].runbook = section;
  }

  void classify(std::size_t section) {
    const auto title = sections_[section].title;
    auto children = children_of(section);
    if (is_failure(title)) return make_runbook(section, sections_[section].end);
    if (holds_runbooks(title)) {
      if (children.empty()) {
        sections_[section].items_are_runbooks = true;
        return;
      }
      classify_own(section);
      for (auto child : children) classify(child);
      return;
    }
    if (any_failure_below(section)) return part(section, children);
    if (procedural(sections_[section].first, sections_[section].end))
      make_runbook(section, sections_[section].end);
  }

  // "Step 1: …" below the title: the document is one runbook.
  bool has_steps_below(std::size_t section) const {
    auto children = children_of(section);
    return std::any_of(children.begin(), children.end(), [&](std::size_t child) {
      auto words = words_of(sections_[child].title);
      return words.size() > 1 && words[0] == "step" &&
             words[1].find_first_not_of("0123456789") == std::string::npos;
    });
  }

  bool any_failure_below(std::size_t section) const {
    for (std::size_t i = section + 1;
         i < sections_.size() && sections_[i].first < sections_[section].end; ++i) {
      if (is_failure(sections_[i].title)) return true;
    }
    return false;
  }

  // Some of the sections below are failures: runbooks of their own. The rest is another one.
  void part(std::size_t section, const std::vector<std::size_t>& children) {
    std::vector<std::size_t> rest;
    for (auto child : children) {
      bool apart = is_failure(sections_[child].title) || any_failure_below(child);
      if (apart) {
        classify(child);
      } else if (procedural(sections_[child].first, sections_[child].end)) {
        rest.push_back(child);
      }
    }
    if (own_procedural(section)) {
      classify_own(section);
      for (auto child : rest) join(child, section);
    } else {
      for (auto child : rest) make_runbook(child, sections_[child].end);
    }
  }

  void join(std::size_t child, std::size_t runbook) {
    for (std::size_t i = child; i < sections_.size() && sections_[i].first < sections_[child].end;
         ++i) {
      sections_[i].role = Section::Role::phase;
      sections_[i].runbook = runbook;
    }
  }

  Outline& out_;
  std::vector<Section>& sections_;
};

}  // namespace

bool is_procedural(const Block& block) {
  if (block.kind == Block::Kind::fence)
    return !is_document(block) &&
           (is_shell(block.language, block.text) || !listed_steps(block.text).empty());
  return block.kind == Block::Kind::item && (block.ordered || block.task) &&
         !leads_elsewhere(block);
}

Outline outline_of(std::string_view text) {
  Outline out;
  splice(parse_markdown(text), 0, 0, out);
  Builder(out).run();
  return out;
}

}  // namespace lb::adopt
