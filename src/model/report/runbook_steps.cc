#include "model/report/runbook_steps.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/front_matter.h"
#include "model/plan/view.h"

namespace lb::report {

namespace {

constexpr std::size_t steps_max = 10'000;
constexpr int depth_max = 64;

std::string failure_text(const plan::OnFailure& fail) {
  using Way = plan::OnFailure::Way;
  switch (fail.way) {
    case Way::stop:
      return "";  // the usual
    case Way::go_on:
      return "go on with the next step";
    case Way::ask:
      return "ask who leads what to do";
    case Way::retry:
      return cat("try ", fail.retries, " times more",
                 fail.wait.count() > 0 ? cat(", ", human_duration(fail.wait), " apart") : "");
    case Way::jump:
      return cat("go on with the step called ", fail.jump);
  }
  return "";
}

class Steps {
 public:
  explicit Steps(const RunbookPage& page) : plan_(page.plan), measured_(page.measured) {}

  void add(const plan::Runbook& runbook, int depth) {
    for (const auto& step : runbook.steps) {
      if (step.verb == "phase") {
        PageStep heading;
        heading.depth = depth;
        heading.title = step.what.text;
        out_.push_back(std::move(heading));
      } else {
        add_step(step, depth);
      }
    }
  }
  std::vector<PageStep> take() { return std::move(out_); }

 private:
  void add_step(const plan::Step& step, int depth) {
    if (out_.size() >= steps_max || depth > depth_max) return;
    PageStep one;
    one.number = ++numbers_;
    one.depth = depth;
    describe_step(plan_, step, one);
    modifiers(step, one);
    auto took = measured_.find(one.number);
    if (took != measured_.end()) one.remarks.emplace_back("Took", took->second);
    out_.push_back(std::move(one));
    const auto* used = step.verb == "use" ? plan_.runbook(step.what.text) : nullptr;
    if (used != nullptr) add(*used, depth + 1);
    for (const auto& inner : step.parallel) add_step(inner, depth + 1);
  }

  void modifiers(const plan::Step& step, PageStep& out) {
    if (!step.by.empty()) {
      auto reach = reach_of(plan_, step.by);
      out.who = reach == step.by || reach.empty() ? step.by : cat(step.by, " (", reach, ")");
    }
    auto remark = [&](const char* name, const std::string& text) {
      if (!text.empty()) out.remarks.emplace_back(name, text);
    };
    bool named = !step.name.empty() && step.verb != "run" && step.verb != "checklist";
    if (named) remark("Called", step.name);
    remark("Only when", step.when);
    for (const auto& [name, value] : step.with) out.remarks.emplace_back(cat("$", name), value);
    if (step.limit) remark("Time limit", human_duration(*step.limit));
    remark("If it fails", failure_text(step.fail));
    remark("To see whether it happened", step.probe);
    remark("To take it back", step.undo);
    out.critical = step.critical;
    out.review = step.review;
  }

  const plan::Plan& plan_;
  const std::map<std::size_t, std::string>& measured_;
  std::vector<PageStep> out_;
  std::size_t numbers_ = 0;
};

void note_person(std::vector<std::string>& out, const std::string& name) {
  bool known = std::find(out.begin(), out.end(), name) != out.end();
  if (!name.empty() && name != "all" && !known) out.push_back(name);
}

void note_people(const RunbookPage& page, const plan::Runbook& runbook, int depth,
                 std::vector<std::string>& out) {
  for (const auto& step : runbook.steps) {
    note_person(out, step.by);
    plan::View what(step.what, page.plan.files);
    if (step.verb == "gate") note_person(out, what.text("approve"));
    if (step.verb == "notify") {
      for (const auto& person : what.texts("to")) note_person(out, person);
    }
    const auto* used = step.verb == "use" ? page.plan.runbook(step.what.text) : nullptr;
    if (used != nullptr && depth < depth_max) note_people(page, *used, depth + 1, out);
    for (const auto& inner : step.parallel) note_person(out, inner.by);
  }
}

}  // namespace

std::vector<PageStep> page_steps(const RunbookPage& page) {
  Steps steps(page);
  steps.add(page.runbook, 0);
  return steps.take();
}

std::string reach_of(const plan::Plan& plan, const std::string& person) {
  if (person == "all") return "everybody of the plan";
  const auto* found = plan.person(person);
  if (found == nullptr) return person;
  std::vector<std::string> parts;
  for (const auto& one : {found->full_name, found->phone, found->email, found->slack}) {
    if (!one.empty()) parts.push_back(one);
  }
  if (!found->webhook.empty()) parts.push_back(cat("webhook ", found->webhook.text()));
  if (!found->pagerduty.empty()) parts.push_back(cat("PagerDuty ", found->pagerduty.text()));
  if (!found->members.empty()) parts.push_back(cat("members: ", join(found->members, ", ")));
  return parts.empty() ? person : join(parts, ", ");
}

std::vector<std::string> people_of(const RunbookPage& page) {
  std::vector<std::string> out;
  note_person(out, page.runbook.owner);
  note_people(page, page.runbook, 0, out);
  for (const auto& task : page.plan.raci) {
    for (const auto& [person, letters] : task.letters) note_person(out, person);
  }
  // Who is asked when they do not answer.
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto* person = page.plan.person(out[i]);
    if (person == nullptr) continue;
    auto next = {person->deputy, person->escalate};
    auto members = person->members;
    for (const auto& one : next) note_person(out, one);
    for (const auto& one : members) note_person(out, one);
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> page_facts(const RunbookPage& page) {
  std::vector<std::pair<std::string, std::string>> out;
  auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.emplace_back(name, value);
  };
  const auto& own = page.runbook.objective;
  const auto& system = page.plan.objectives;
  auto duration = [](const std::optional<Micros>& one) { return one ? human_duration(*one) : ""; };
  fact("System", page.plan.system);
  fact("Owner", page.runbook.owner);
  const auto front = plan::front_matter_of(page.plan, page.runbook);
  fact("Version", front.version);
  fact("Updated", front.updated_text);
  fact("Read again", front.review ? front.review->text : "");
  fact("Classification", front.classification);
  fact("Target: time to recover (RTO)", duration(own.rto ? own.rto : system.rto));
  fact("Target: loss as time (RPO)", duration(own.rpo ? own.rpo : system.rpo));
  fact("Took, one step after the other", page.measured_whole);
  fact("Clock", own.clock.empty() ? system.clock : own.clock);
  std::vector<std::string> parameters;
  for (const auto& one : page.runbook.parameters)
    parameters.push_back(cat("$", one.name, " (", one.kind, ")"));
  fact("To be given", join(parameters, ", "));
  fact("Repository", page.plan.repository.at.text());
  for (const auto& copy : page.plan.repository.copies) fact("Copy", copy.at.text());
  fact("Key", page.plan.repository.key.text());
  fact("Plan", page.plan.file);
  constexpr std::size_t shown = 16;  // the foot of the page has all of it
  fact("Plan fingerprint", page.plan_fingerprint.substr(0, shown));
  fact("Made", cat(format_time_seconds(page.made), " by ", page.version));
  return out;
}

const std::vector<std::string>& page_instructions() {
  static const std::vector<std::string> text = {
      "Tick each step when it is done, and write the time beside it.",
      "A command in a box is what the program runs: without it, type the command in the folder of "
      "the "
      "plan. $NAME stands for what was given, or found out in an earlier step.",
      "Restoring needs the program lifeboat (one file), the repository, its key, and a plan that "
      "names both."};
  return text;
}

std::vector<std::vector<std::string>> people_rows(const RunbookPage& page) {
  std::vector<std::vector<std::string>> rows = {{"Role", "Reached at", "Then", "Does", "As of"}};
  for (const auto& name : people_of(page)) {
    const auto* person = page.plan.person(name);
    if (person == nullptr) continue;
    auto then = person->deputy;
    if (!person->escalate.empty()) then += cat(then.empty() ? "" : ", ", person->escalate);
    rows.push_back({name, reach_of(page.plan, name), then, person->duty,
                    plan::front_matter_of(page.plan, *person).updated_text});
  }
  if (rows.size() == 1) return {};
  for (std::size_t column = 4; column >= 2; --column) {
    bool empty = std::all_of(rows.begin() + 1, rows.end(),
                             [&](const auto& row) { return row[column].empty(); });
    if (!empty) continue;
    for (auto& row : rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
  return rows;
}

std::vector<std::vector<std::string>> raci_rows(const RunbookPage& page) {
  std::vector<std::string> roles;
  for (const auto& task : page.plan.raci) {
    for (const auto& [person, letters] : task.letters) note_person(roles, person);
  }
  if (roles.empty()) return {};
  std::vector<std::vector<std::string>> out = {{"Task"}};
  out[0].insert(out[0].end(), roles.begin(), roles.end());
  for (const auto& task : page.plan.raci) {
    std::vector<std::string> row = {task.name};
    for (const auto& role : roles) {
      auto found = std::find_if(task.letters.begin(), task.letters.end(),
                                [&](const auto& one) { return one.first == role; });
      row.push_back(found == task.letters.end() ? "" : found->second);
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> page_links(const RunbookPage& page) {
  return plan::View(page.plan.tree, page.plan.files).text_map("links");
}

}  // namespace lb::report
