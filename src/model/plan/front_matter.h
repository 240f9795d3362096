// What the plan says of its documents: how old a runbook and what is known of a person is, how
// often it is looked at again, and who may read a runbook. Read from the checked tree. Pure.
#pragma once

#include <optional>
#include <string>

#include "model/plan/plan.h"

namespace lb::plan {

struct FrontMatter {
  std::string version;
  std::string classification;  // "public", "internal", "confidential"; empty: not said
  std::string updated_text;
  std::optional<Timestamp> updated;  // its midnight in UTC
  std::optional<Schedule> review;
};
FrontMatter front_matter_of(const Plan& plan, const Runbook& runbook);
FrontMatter front_matter_of(const Plan& plan, const Person& person);

// Whether the page of this runbook lies open in the repository, for whoever can read its place:
// unless the plan keeps pages sealed, or this one is confidential, or shows steps of one that is.
bool page_lies_open(const Plan& plan, const Runbook& runbook);

}  // namespace lb::plan
