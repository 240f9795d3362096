// The verdict of a drill, its figures and its advice, computed from what was recorded. Pure.
#pragma once

#include <optional>

#include "foundation/base/error.h"
#include "model/plan/plan.h"
#include "model/record/drill_record.h"

namespace lb::drill {

// What ended a drill before its checks, if anything did.
struct Ending {
  std::optional<Error> error;
  std::string stage;           // where it happened
  bool sandbox_lacks = false;  // the error says nothing about the backup: INCONCLUSIVE
};

// Whether an error speaks of the backup (FAIL) or of the place it was tried in (INCONCLUSIVE).
bool speaks_of_backup(const Error& error);

// Fills measured RPO and RTO, per-store results, verdict, reason and findings of the record.
void judge(record::DrillRecord& record, const Ending& ending);

}  // namespace lb::drill
