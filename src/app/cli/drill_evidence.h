// Signed evidence of drills (evidence: sign:), as the verbs leave and show it.
#pragma once

#include <optional>
#include <string>

#include "app/cli/session.h"
#include "recovery/drill/evidence.h"

namespace lb::cli {

// Nothing when the plan asks for no signature. Asked before a drill begins: one that could not be
// signed at its end would be for nothing.
Result<std::optional<Secret>> evidence_seed(const Session& session);
// Signs, keeps it in the repository, and writes it beside the report.
Status leave_evidence(const Shell& shell, Session& session, const Secret& seed,
                      const record::DrillRecord& record, const std::string& folder);
// evidence.json, evidence.sig and evidence.pem, as docs/evidence.md says how to check them.
Status write_evidence(const Shell& shell, const std::string& folder,
                      const drill::Evidence& evidence);

}  // namespace lb::cli
