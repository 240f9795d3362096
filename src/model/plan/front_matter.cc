#include "model/plan/front_matter.h"

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

}  // namespace

FrontMatter front_matter_of(const Plan& plan, const Runbook& runbook) {
  return read(root(plan).at("runbooks").at(runbook.name));
}

FrontMatter front_matter_of(const Plan& plan, const Person& person) {
  return read(root(plan).at("people").at(person.name));
}

bool page_lies_open(const Plan& plan, const Runbook& runbook) {
  if (root(plan).at("repository").text("pages") == "sealed") return false;
  return front_matter_of(plan, runbook).classification != "confidential";
}

}  // namespace lb::plan
