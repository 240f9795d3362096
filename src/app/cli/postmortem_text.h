// The draft of a post-mortem with all that is known around the run: drills, its incident, and what
// earlier runs of the runbook took.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/runbook/post_mortem.h"
#include "storage/state/run_log.h"

namespace lb::cli {

struct WrittenRun {
  const plan::Plan& plan;
  const runbook::Script& script;
  const runbook::RunState& state;
  const std::vector<record::RunEvent>& events;
};
// What of the surroundings cannot be read is said and left out.
Result<std::string> postmortem_text(const Shell& shell, const Session& session, state::RunLog& log,
                                    const WrittenRun& run);

}  // namespace lb::cli
