// Rules that need more than one place of the plan: what refers to what must also fit together. Each
// works on the bound plan and the tree, tolerates parts that were refused already, and only adds.
#pragma once

#include "model/plan/mistakes.h"
#include "model/plan/view.h"

namespace lb::plan {

void check_root_rules(const Plan& plan, const View& root, MistakeList& mistakes);
void check_store_rules(const Plan& plan, const View& root, MistakeList& mistakes);
void check_suite_rules(const Plan& plan, const View& root, MistakeList& mistakes);
void check_drill_rules(const Plan& plan, const View& root, MistakeList& mistakes);
void check_people_rules(const View& root, MistakeList& mistakes);
void check_runbook_rules(const View& root, MistakeList& mistakes);

}  // namespace lb::plan
