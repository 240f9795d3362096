// What was recorded of a database with its snapshot, brought to the point that was reached.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "recovery/check/check.h"
#include "stores/postgres/restore.h"

namespace lb::check {

// Fills `recorded` and `row_deltas` of a store whose `snapshot` `server` was restored from; says
// in `row_deltas_missing` why not.
void take_recorded(CheckedStore& store, pg::RecoveryServer& server);

// The exact counts of tables ("orders", "sales.orders") at the point that `copy` stands at, by
// "schema.table": for what is made from it. A table that cannot be told is left out.
Result<std::map<std::string, std::int64_t>> expected_rows(const CheckedStore& copy,
                                                          const std::vector<std::string>& tables);

}  // namespace lb::check
