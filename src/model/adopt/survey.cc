#include "model/adopt/survey.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

bool is_shouted(std::string_view text) {
  std::size_t small = 0, large = 0;
  for (char c : text) {
    if (c >= 'a' && c <= 'z') ++small;
    if (c >= 'A' && c <= 'Z') ++large;
  }
  return large >= 6 && small == 0;
}

// "… (critical)", "**Critical**: …": the flag, and the text without it.
bool strip_critical(std::string& text) {
  auto low = lower(text);
  for (std::string_view mark : {"(critical)", "[critical]", "critical:"}) {
    auto at = low.find(mark);
    bool ends = at != std::string::npos && at + mark.size() == low.size();
    bool begins = at == 0 && mark == "critical:";
    if ((!ends || mark == "critical:") && !begins) continue;
    text = std::string(trim(begins ? text.substr(mark.size()) : text.substr(0, at)));
    return true;
  }
  return false;
}

bool is_strong_whole(std::string_view text) {
  text = trim(text);
  if (text.ends_with(':')) text.remove_suffix(1);
  return text.size() > 4 && text.starts_with("**") && text.ends_with("**") &&
         text.find("**", 2) == text.size() - 2;
}

// Of the steps of a runbook: what the next items are.
enum class Mode { steps, symptoms, prevention };

class Survey {
 public:
  explicit Survey(Draft& draft) : draft_(draft), outline_(draft.outline) {}

  void run() {
    draft_.runbook_of.assign(outline_.sections.size(), none);
    for (at_ = 0; at_ < outline_.blocks.size(); ++at_) {
      enter();
      draft_.runbook_of_block[at_] = item_runbook_;
      take(outline_.blocks[at_]);
    }
  }

 private:
  void enter() {
    auto section = outline_.section_of[at_];
    if (section == section_ && at_ > 0) return;
    section_ = section;
    draft_.prose.insert(draft_.prose.end(), pending_.begin(), pending_.end());
    pending_.clear();
    label_.clear();
    mode_ = Mode::steps;
    checklist_open_ = false;
    item_runbook_ = none;
    auto root = outline_.sections[section].runbook;
    if (root == none || draft_.runbook_of[root] != none) return;
    const auto& first = outline_.sections[root];
    auto title = first.heading == none ? std::string("Recovery") : without_number(first.title);
    auto line = first.heading == none ? 1 : outline_.blocks[first.heading].line;
    draft_.runbook_of[root] = add_runbook(title, line);
  }

  std::size_t add_runbook(const std::string& title, std::size_t line) {
    RunbookDraft runbook;
    auto low = words_of(title);
    bool condition = low.size() > 2 && (low[0] == "if" || low[0] == "when");
    runbook.name =
        runbook_names_.fresh(slug(condition ? title.substr(title.find(' ') + 1) : title));
    runbook.title = title;
    runbook.line = line;
    const auto& section = outline_.sections[section_];
    auto own = section.heading == none ? std::string() : section.title;
    runbook.scenario = condition || section.items_are_runbooks || mentions(own, {"scenario"});
    if (condition) runbook.symptoms.push_back(Tree::of(title.substr(title.find(' ') + 1), line));
    draft_.runbooks.push_back(std::move(runbook));
    return draft_.runbooks.size() - 1;
  }

  RunbookDraft* runbook() {
    if (item_runbook_ != none) return &draft_.runbooks[item_runbook_];
    auto root = outline_.sections[section_].runbook;
    return root == none ? nullptr : &draft_.runbooks[draft_.runbook_of[root]];
  }

  void take(const Block& block) {
    switch (block.kind) {
      case Block::Kind::heading:
        return heading(block);
      case Block::Kind::paragraph:
        return paragraph(block);
      case Block::Kind::item:
        return item(block);
      case Block::Kind::fence:
        return fence(block);
      case Block::Kind::row:
        return table();
    }
  }

  std::string step_place() { return cat("runbook ", runbook()->name); }

  void add_step(Tree step) {
    auto& steps = runbook()->steps;
    if (!steps.empty() || !pending_.empty()) step.above = std::move(pending_);
    pending_.clear();
    steps.push_back(std::move(step));
    checklist_open_ = false;
  }

  void heading(const Block& block) {
    const auto& section = outline_.sections[section_];
    auto title = plain(block.text);
    if (section.role == Section::Role::runbook) {
      draft_.place(at_, cat("runbook ", runbook()->name));
    } else if (section.role == Section::Role::phase) {
      enter_label(title);
      if (mode_ == Mode::steps) add_step(step_of("phase", title, block.line));
      draft_.place(at_, step_place());
    } else {
      draft_.place(at_, "comment");
      draft_.prose.push_back(cat(draft_.at(block.line), ": ", title));
    }
  }

  void enter_label(const std::string& text) {
    label_ = text;
    checklist_open_ = false;
    mode_ = Mode::steps;
    if (runbook() == nullptr) return;
    if (mentions(text, {"symptom", "signs"})) mode_ = Mode::symptoms;
    if (mentions(text, {"prevent"})) mode_ = Mode::prevention;
  }

  void paragraph(const Block& block) {
    const auto& section = outline_.sections[section_];
    auto label = labelled(block.text);
    bool alone = block.text.find('\n') == std::string::npos;
    bool strong = alone && is_strong_whole(block.text);
    if (strong || (alone && !label.label.empty() && label.value.empty())) {
      auto text = strong ? plain(block.text) : label.label;
      if (text.ends_with(':')) text.pop_back();
      enter_label(text);
      bool steps = mentions(text, {"recovery steps", "steps", "process"});
      if (runbook() != nullptr && strong && mode_ == Mode::steps && !steps && block.level == 0) {
        add_step(step_of("phase", text, block.line));
      } else if (mode_ == Mode::steps) {
        note_line(text, block.line);
        routine(text, block.line);
      }
      return draft_.place(at_, runbook() != nullptr ? step_place() : "comment");
    }
    std::size_t taken = 0, number = block.line;
    for (const auto& line : split(block.text, '\n')) {
      if (take_field(draft_, line, number, section)) {
        ++taken;
      } else {
        prose_line(line, number);
      }
      ++number;
    }
    draft_.place(at_, taken > 0 ? "fact" : "comment");
  }

  void prose_line(const std::string& line, std::size_t number) {
    auto text = plain(line);
    bool warns =
        runbook() != nullptr && mode_ == Mode::steps && mentions(text, {"warning", "danger"});
    if (warns) return add_step(step_of("banner", text, number));
    note_line(text, number);
  }

  // "Run a full drill monthly:": the steps below are due again and again.
  void routine(const std::string& text, std::size_t line) {
    auto every = find_cadence(text);
    if (runbook() == nullptr || !every || !mentions(text, {"drill", "test", "review"})) return;
    Tree task;
    task.set("review", Tree::of(cat(text, " (runbook ", runbook()->name, ")"), line));
    task.set("every", Tree::of(every->text));
    draft_.tasks.set(fresh_key(draft_.tasks, runbook()->name), std::move(task));
  }

  void note_line(const std::string& text, std::size_t line) {
    auto shown = cat(draft_.at(line), ": ", text);
    if (runbook() != nullptr) {
      pending_.push_back(shown);
    } else {
      draft_.prose.push_back(shown);
    }
  }

  bool has_children() const {
    if (at_ + 1 >= outline_.blocks.size()) return false;
    const auto& next = outline_.blocks[at_ + 1];
    return next.kind != Block::Kind::heading &&
           next.level > outline_.blocks[at_].level - (next.kind == Block::Kind::item ? 0 : 1) &&
           outline_.section_of[at_ + 1] == section_;
  }

  static std::string said(const Block& block) {
    auto text = plain(block.text);
    return text.empty() ? "(empty)" : text;
  }

  void item(const Block& block) {
    numbered_.resize(static_cast<std::size_t>(block.level));
    numbered_.back() = block.ordered;
    const auto& section = outline_.sections[section_];
    if (section.items_are_runbooks && block.level == 1 && block.ordered) {
      item_runbook_ = none;
      item_runbook_ = add_runbook(said(block), block.line);
      draft_.runbook_of_block[at_] = item_runbook_;
      return draft_.place(at_, cat("runbook ", draft_.runbooks[item_runbook_].name));
    }
    if (runbook() != nullptr && mode_ != Mode::steps) return aspect(block);
    if (block.text.find("](#") != std::string::npos) {  // of a table of contents
      note_line(said(block), block.line);
      return draft_.place(at_, "comment");
    }
    if (take_fact(draft_, at_, label_)) return;
    if (runbook() == nullptr) return;  // not understood
    if (block.task || (!block.ordered && !inside_numbered(block))) return box(block);
    act(block);
  }

  void aspect(const Block& block) {
    auto& list = mode_ == Mode::symptoms ? runbook()->symptoms : runbook()->prevention;
    list.push_back(Tree::of(said(block), block.line));
    draft_.place(at_,
                 cat(mode_ == Mode::symptoms ? "symptom" : "prevention", " of ", step_place()));
  }

  // Whether an item stands in the list of a numbered one: a part of what is to be done.
  bool inside_numbered(const Block& block) const {
    auto level = static_cast<std::size_t>(block.level);
    return outline_.sections[section_].items_are_runbooks || (level > 1 && numbered_[level - 2]);
  }

  // An item of a checklist; what is listed below it belongs to it.
  void box(const Block& block) {
    auto text = said(block);
    bool critical = strip_critical(text);
    if (block.level == 1) parent_ = text;
    if (block.level > 1 && checklist_open_) text = cat(parent_, ": ", text);
    if (!checklist_open_) {
      Tree step;
      step.set("checklist", Tree::list());
      const auto& steps = runbook()->steps;
      const auto* phase = steps.empty() ? nullptr : steps.back().find("phase");
      bool named = phase != nullptr && phase->text == label_;  // the phase says it
      if (!label_.empty() && !named) step.set("name", Tree::of(label_));
      add_step(std::move(step));
      checklist_open_ = true;
    }
    auto item = Tree::of(text, block.line);
    if (critical) {
      Tree flagged;
      flagged.set("item", std::move(item));
      flagged.set("critical", Tree::raw("true"));
      item = std::move(flagged);
    }
    item.above = std::move(pending_);
    pending_.clear();
    runbook()->steps.back().at("checklist").items.push_back(std::move(item));
    draft_.place(at_, cat("checklist of ", step_place()));
  }

  // A numbered item: done by hand; one that only heads a list is a phase.
  void act(const Block& block) {
    auto text = said(block);
    bool critical = strip_critical(text);
    bool heads =
        block.ordered && has_children() && (is_strong_whole(block.text) || text.ends_with(':'));
    if (text.ends_with(':')) text.pop_back();
    auto words = words_of(text);
    bool review = join(words, " ") == "post mortem" || join(words, " ") == "postmortem";
    if (heads) {
      add_step(step_of("phase", text, block.line));
      enter_label(text);
    } else if (review) {
      add_step(step_of("postmortem", "post-mortem", block.line));
    } else {
      add_step(step_of(is_shouted(text) ? "banner" : "manual", text, block.line));
    }
    if (critical) runbook()->steps.back().set("critical", Tree::raw("true"));
    draft_.place(at_, step_place());
  }

  void fence(const Block& block) {
    if (outline_.embeds[at_]) {
      draft_.prose.push_back(
          cat(draft_.at(block.line), ": a document of its own, to line ", block.line_last));
      return draft_.place(at_, "read as a document");
    }
    auto before = runbook() == nullptr ? 0 : runbook()->steps.size();
    if (!take_fence(draft_, at_, label_, runbook())) return;
    if (runbook() == nullptr || runbook()->steps.size() == before) return;
    auto& above = runbook()->steps[before].above;
    above.insert(above.begin(), pending_.begin(), pending_.end());
    pending_.clear();
    checklist_open_ = false;
  }

  void table() {
    std::size_t end = at_;
    const auto& first = outline_.blocks[at_];
    while (end < outline_.blocks.size() && outline_.blocks[end].kind == Block::Kind::row &&
           outline_.blocks[end].table == first.table && (end == at_ || !outline_.blocks[end].head))
      ++end;
    take_table(draft_, at_, end);
    at_ = end - 1;
  }

  Draft& draft_;
  const Outline& outline_;
  FreshNames runbook_names_{"-", ""};
  std::size_t at_ = 0, section_ = none;
  std::size_t item_runbook_ = none;  // of a list whose items are runbooks
  std::string label_, parent_;
  std::vector<bool> numbered_;  // of the items we stand in
  Mode mode_ = Mode::steps;
  bool checklist_open_ = false;
  std::vector<std::string> pending_;  // comments for what comes next
};

}  // namespace

Tree step_of(std::string_view verb, std::string text, std::size_t line) {
  Tree step;
  step.set(verb, Tree::of(std::move(text), line));
  return step;
}

void survey(Draft& draft) { Survey(draft).run(); }

}  // namespace lb::adopt
