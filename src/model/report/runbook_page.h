// A runbook as a document for people: what they follow when the program is not at hand. Every step
// says who acts, what the program would do, and how to do it by hand; the numbers of steps are
// those of a run. Pure. The HTML is one self-contained page that prints well.
#pragma once

#include <string>

#include "foundation/base/time.h"
#include "model/plan/plan.h"

namespace lb::report {

struct RunbookPage {
  const plan::Plan& plan;
  const plan::Runbook& runbook;
  std::string plan_fingerprint;  // hex
  std::string version;           // of Lifeboat
  Timestamp made;
};

std::string runbook_html(const RunbookPage& page);
std::string runbook_markdown(const RunbookPage& page);

}  // namespace lb::report
