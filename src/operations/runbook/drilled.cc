#include "operations/runbook/drilled.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "operations/runbook/judge.h"

namespace lb::runbook {

namespace {

const std::vector<std::string> no_files;
constexpr Micros task_within = std::chrono::hours(24 * 7);

bool is_held(const StepState& step) { return step.result["held"].boolean(); }

class Roles {
 public:
  void add(const std::string& role, const std::string& part, std::uint64_t step,
           const std::string& acted) {
    if (role.empty()) return;
    auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& each) {
      return each.role == role && each.part == part;
    });
    if (found == all_.end()) found = all_.insert(all_.end(), {role, part, {}, {}});
    found->steps.push_back(step);
    bool known = std::find(found->acted.begin(), found->acted.end(), acted) != found->acted.end();
    if (!acted.empty() && !known) found->acted.push_back(acted);
  }
  std::vector<record::DrilledRole> take() { return std::move(all_); }

 private:
  std::vector<record::DrilledRole> all_;
};

std::vector<std::string> told_by(const plan::Step& step) {
  std::vector<std::string> out;
  const auto* to = step.verb == "notify" ? step.what.find("to") : nullptr;
  if (to == nullptr) return out;
  if (to->is_scalar()) out.push_back(to->text);
  for (const auto& item : to->items) out.push_back(item.text);
  return out;
}

std::string deciders(const plan::Plan& plan, const plan::Step& gate) {
  plan::View what(gate.what, no_files);
  if (what.has("approve")) return what.text("approve");
  const auto all = deciders_of(plan, gate);
  return join({all.begin(), all.end()}, ", ");
}

record::DrilledDecision decision_of(const plan::Plan& plan, const ScriptStep& own,
                                    const StepState& step) {
  record::DrilledDecision out;
  out.step = own.number;
  out.decides = deciders(plan, *own.step);
  const bool decided = step.result["hash"].is_string();
  out.result = decided         ? (step.status == StepStatus::done ? "approved" : "denied")
               : is_held(step) ? "held"
                               : std::string(name_of(step.status));
  out.text = step.text;
  if (!decided) return out;
  out.by = step.by;
  out.at = step.ended;
  for (const auto& [name, value] : step.result["shown"]["facts"].members())
    out.shown.push_back(
        cat(replace_all(name, "_", " "), ": ", value.is_string() ? value.string() : value.dump()));
  return out;
}

std::string owner_of(const plan::Plan& plan, const Script& script) {
  if (!script.plan->owner.empty()) return script.plan->owner;
  return plan.person("lead") != nullptr ? "lead" : "";
}

}  // namespace

void describe_people(const plan::Plan& plan, const Script& script, const RunState& state,
                     const std::vector<record::RunEvent>& events, record::DrillRecord& record) {
  Roles roles;
  for (const auto& own : script.steps) {
    if (own.is_group()) continue;
    const auto& step = state.at(own.number);
    // A machine did what is not a person's, whoever the plan says is to watch it.
    const bool acted = is_done_by_people(*own.step) && step.finished() && !is_held(step);
    const auto who = acted ? step.by : std::string();
    roles.add(own.step->by, "does", own.number, who);
    if (own.step->verb == "gate") {
      roles.add(deciders(plan, *own.step), "decides", own.number, who);
      record.decisions.push_back(decision_of(plan, own, step));
    }
    for (const auto& person : told_by(*own.step)) roles.add(person, "is told", own.number, "");
  }
  record.roles = roles.take();
  const auto owner = owner_of(plan, script);
  const auto due = state.last_event + task_within;
  for (const auto& event : events) {
    if (event.kind != record::RunEventKind::ended || event.step == 0) continue;
    const auto title = cat("step ", event.step, " (", title_of(*script.at(event.step).step), ")");
    const auto result = event.data["result"].string();
    if (result == "failed")
      record.tasks.push_back(
          {cat("Find out why ", title, " failed in the drill: ", event.text), owner, due});
    if (result == "skipped" && !event.data["held"].boolean() && !event.by.empty())
      record.tasks.push_back({cat("Decide whether ", title,
                                  ", left out in the drill, belongs into "
                                  "the runbook"),
                              owner, due});
  }
}

void add_predictions(const Forecast& before, record::DrillRecord& record) {
  for (auto& step : record.steps) {
    auto found = std::find_if(before.steps.begin(), before.steps.end(), [&](const auto& each) {
      return each.number == step.number && each.title == step.title;
    });
    if (found != before.steps.end() && step.state != "held") step.predicted = found->half;
  }
}

}  // namespace lb::runbook
