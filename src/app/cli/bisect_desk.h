// What the verb and the step `bisect` share: who is looked at, by which checks, in which sandbox.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "recovery/drill/bisect.h"

namespace lb::cli {

struct BisectSubject {
  std::vector<const plan::Store*> stores;     // that can be restored
  std::vector<const plan::Store*> not_built;  // of the group
  std::string group;                          // empty: one store
};
// invalid when there is neither a store nor a group of that name; unsupported when nothing of it
// can be restored.
Result<BisectSubject> bisect_subject(const plan::Plan& plan, const std::string& name);

struct BisectChecks {
  plan::Suite suite;
  std::vector<std::string> left_out;  // with the reason
};
// `name`: a suite, a check by its name, or "entropy" by itself. What these stores alone cannot
// answer is left out; invalid when nothing is left.
Result<BisectChecks> bisect_checks(const plan::Plan& plan, const BisectSubject& subject,
                                   const std::string& name);

// `plan` and `session` outlive it. The bounds, the budget and the series are the caller's.
Result<drill::BisectRequest> bisect_request(const Shell& shell, const Session& session,
                                            const plan::Plan& plan, const BisectSubject& subject,
                                            const std::string& check);

std::string bisect_table(const record::BisectRecord& record);

}  // namespace lb::cli
