// What a gate guards, and who decides at it.
#include <algorithm>

#include "model/plan/view.h"
#include "operations/runbook/judge.h"

namespace lb::runbook {

namespace {

const std::vector<std::string> no_files;

// Whether the run cannot come from `from` to `step` without a decision at `gate`: that stands under
// no condition of its own, not beside the step, and no failure jumps over it.
bool stands_before(const Script& script, std::size_t from, std::size_t gate, std::size_t step) {
  for (auto n = gate; n != 0; n = script.at(n).parent) {
    const auto& own = script.at(n);
    const bool beside = own.step->verb == "parallel";
    if (own.last >= step && !beside) break;  // what holds for the group holds for the step
    if (beside || !own.step->when.empty()) return false;
  }
  for (auto n = from + 1; n < gate; ++n) {
    const auto& jump = script.at(n).step->fail.jump;
    if (!jump.empty() && script.reached_from(n, jump) > gate) return false;
  }
  return true;
}

}  // namespace

std::set<std::string> raci_of(const plan::Plan& plan, const plan::Step& gate, char letter) {
  plan::View what(gate.what, no_files);
  const auto* task = plan.raci_task(what.text("task"));
  if (task == nullptr) return {};
  auto who = task->who(letter);
  return {who.begin(), who.end()};
}

std::set<std::string> deciders_of(const plan::Plan& plan, const plan::Step& gate) {
  plan::View what(gate.what, no_files);
  if (what.has("approve")) return members_of(plan, what.text("approve"));
  return raci_of(plan, gate, 'A');
}

std::set<std::string> reporters_of(const plan::Plan& plan, const plan::Step& gate) {
  auto out = raci_of(plan, gate, 'R');
  for (const auto& decider : deciders_of(plan, gate)) out.erase(decider);
  return out;
}

bool guards_destruction(const plan::Plan& plan, const Script& script, const RunState& state,
                        std::size_t gate) {
  const Names names(script, state.variables);
  std::vector<std::size_t> gates;
  for (auto n = gate + 1; n <= script.steps.size(); ++n) {
    const auto& own = script.at(n);
    if (own.step->verb == "gate") gates.push_back(n);
    plan::View what(own.step->what, no_files);
    auto target = names.expand(what.text("to"), own.scope);
    if (!is_destructive(plan, *own.step, target.ok() ? *target : std::string())) continue;
    const bool decided_again = std::any_of(gates.begin(), gates.end(), [&](auto other) {
      return stands_before(script, gate, other, n);
    });
    if (!decided_again) return true;
  }
  return false;
}

}  // namespace lb::runbook
