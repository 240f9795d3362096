// The index of the pages of all runbooks: what somebody opens who finds the folder and knows
// nothing. Links to NAME.html or NAME.md beside it. Pure.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/time.h"
#include "model/plan/plan.h"

namespace lb::report {

struct RunbookIndex {
  const plan::Plan& plan;
  std::string plan_fingerprint;  // hex
  std::string version;           // of Lifeboat
  Timestamp made;
};

std::string runbook_index_html(const RunbookIndex& index);
std::string runbook_index_markdown(const RunbookIndex& index);

}  // namespace lb::report
