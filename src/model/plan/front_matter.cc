#include "model/plan/front_matter.h"

#include <algorithm>
#include <set>

#include "model/plan/hours_text.h"
#include "model/plan/view.h"

namespace lb::plan {

namespace {

FrontMatter read(const View& from) {
  FrontMatter out;
  out.version = from.text("version");
  out.classification = from.text("classification");
  out.updated_text = from.text("updated");
  if (auto updated = parse_date(out.updated_text); updated.ok())
    out.updated = Timestamp(std::chrono::sys_days(*updated));
  out.review = from.schedule("review");
  return out;
}

View root(const Plan& plan) { return {plan.tree, plan.files}; }

bool is_confidential(const Plan& plan, const Runbook& runbook, std::set<std::string>& seen);

// A page writes out the steps of the runbooks that it uses.
bool shows_confidential(const Plan& plan, const Step& step, std::set<std::string>& seen) {
  const auto* used = step.verb == "use" ? plan.runbook(step.what.text) : nullptr;
  if (used != nullptr && is_confidential(plan, *used, seen)) return true;
  return std::any_of(step.parallel.begin(), step.parallel.end(),
                     [&](const auto& inner) { return shows_confidential(plan, inner, seen); });
}

bool is_confidential(const Plan& plan, const Runbook& runbook, std::set<std::string>& seen) {
  if (!seen.insert(runbook.name).second) return false;
  if (front_matter_of(plan, runbook).classification == "confidential") return true;
  return std::any_of(runbook.steps.begin(), runbook.steps.end(),
                     [&](const auto& step) { return shows_confidential(plan, step, seen); });
}

}  // namespace

FrontMatter front_matter_of(const Plan& plan, const Runbook& runbook) {
  return read(root(plan).at("runbooks").at(runbook.name));
}

FrontMatter front_matter_of(const Plan& plan, const Person& person) {
  return read(root(plan).at("people").at(person.name));
}

bool page_lies_open(const Plan& plan, const Runbook& runbook) {
  if (root(plan).at("repository").text("pages") == "sealed") return false;
  std::set<std::string> seen;
  return !is_confidential(plan, runbook, seen);
}

}  // namespace lb::plan
