// An audit of point-in-time recovery: draws moments of the window, lets a Runner restore and check
// each, one after another (never more than one copy on the disk), and judges them together. Used by
// run_drill only.
#pragma once

#include "recovery/drill/drill.h"

namespace lb::drill {

record::DrillRecord run_audit(const DrillTools& tools, const DrillRequest& request,
                              std::stop_token stop);

}  // namespace lb::drill
