// The step that asks a database: what came back is shown, saved, and held to what is expected. The
// same in earnest, where the store lives, and in a drill, of what was restored there.
#pragma once

#include <string>

#include "foundation/base/secret.h"
#include "operations/runbook/acts.h"
#include "recovery/check/redactor.h"

namespace lb::cli {

// `run_marker`: of a drill, which the server must show; else empty.
Result<runbook::ActEnd> ask_database(const runbook::Act& act, const Secret& address,
                                     const std::string& run_marker,
                                     const check::Redactor& redactor);

}  // namespace lb::cli
