// A runbook as a document for people: what they follow when the program is not at hand. Every step
// says who acts, what the program would do, and how to do it by hand; the numbers of steps are
// those of a run. Pure. The HTML is one self-contained page that prints well.
#pragma once

#include <map>
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
  // What steps took when they were done: "1 min, 3 times, last on 2026-11-27", by their number; and
  // all of it together. Empty: not measured, or not asked for.
  std::map<std::size_t, std::string> measured = {};
  std::string measured_whole = {};
};

std::string runbook_html(const RunbookPage& page);
std::string runbook_markdown(const RunbookPage& page);

}  // namespace lb::report
