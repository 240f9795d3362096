// Fences: commands become `run` steps that wait for a review; lists of steps in program text become
// checklists; other text is shown to a person.
#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/draft.h"
#include "model/adopt/shell_text.h"
#include "model/adopt/survey.h"

namespace lb::adopt {

namespace {

// A checklist that was written for a program.
std::optional<Tree> checklist_of(const Block& block) {
  auto steps = listed_steps(block.text);
  if (steps.empty()) return {};
  Tree out;
  auto& items = out.set("checklist", Tree::list()).items;
  for (const auto& step : steps) {
    auto item = Tree::of(step.text, block.line + 1 + step.line);
    if (step.critical) {
      Tree flagged;
      flagged.set("item", std::move(item));
      flagged.set("critical", Tree::raw("true"));
      item = std::move(flagged);
    }
    items.push_back(std::move(item));
  }
  return out;
}

// "Or if running locally": what is done instead of the step before it.
bool is_other_way(std::string_view title) {
  auto words = words_of(title);
  if (words.empty()) return false;
  return words[0] == "or" || words[0] == "alternatively" || words[0] == "manually" ||
         mentions(title, {"manual execution", "by hand"});
}

Tree run_step(Draft& draft, const Block& block, const Command& command) {
  auto line = block.line + 1 + command.line;
  if (holds_secret(command.text)) {
    draft.secrets.push_back(line);
    auto step = step_of("manual",
                        cat("the command at ", draft.at(line),
                            " holds what looks like a secret and was not copied: write it as run: "
                            "with the secret by reference"),
                        line);
    if (!command.title.empty()) step.set("name", Tree::of(command.title));
    return step;
  }
  auto step = step_of("run", command.text, line);
  if (!command.title.empty()) step.set("name", Tree::of(command.title));
  if (is_other_way(command.title)) step.set("when", Tree::of("instead of the step before it"));
  step.set("review", Tree::of("required"));
  return step;
}

void take_commands(Draft& draft, const Block& block, RunbookDraft& runbook) {
  for (const auto& command : commands_of(block.text)) {
    if (!command.text.empty()) {
      runbook.steps.push_back(run_step(draft, block, command));
    } else {
      runbook.steps.push_back(step_of("manual", command.title, block.line + 1 + command.line));
    }
  }
}

}  // namespace

bool take_fence(Draft& draft, std::size_t block, const std::string& label, RunbookDraft* runbook) {
  const auto& fence = draft.outline.blocks[block];
  if (runbook == nullptr) return false;
  auto before = runbook->steps.size();
  if (is_shell(fence.language, fence.text)) {
    take_commands(draft, fence, *runbook);
  } else if (auto steps = checklist_of(fence)) {
    runbook->steps.push_back(std::move(*steps));
  } else if (!trim(fence.text).empty()) {
    bool form = mentions(label, {"template", "report"});
    auto text = std::string(trim(fence.text));
    bool secret = holds_secret(text);
    if (secret) draft.secrets.push_back(fence.line);
    if (secret) text = cat("see ", draft.at(fence.line), ": it holds what looks like a secret");
    auto step = step_of(form ? "document" : "manual", text, fence.line);
    if (!label.empty()) step.set("name", Tree::of(label));
    runbook->steps.push_back(std::move(step));
  }
  if (runbook->steps.size() == before) return false;  // an empty fence
  // The step names its own line; this is where the fence begins.
  runbook->steps[before].above.push_back(
      cat("fence ", draft.at(fence.line), fence.language.empty() ? "" : ", ", fence.language));
  draft.place(block, cat("runbook ", runbook->name));
  return true;
}

}  // namespace lb::adopt
