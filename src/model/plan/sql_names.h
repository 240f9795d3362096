// The names of a run's variables in the SQL of a runbook: $name and ${name} are given to the server
// beside the statement, as bound values, so that no answer of a person is ever a part of it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb::plan {

struct SqlNames {
  std::string sql;                  // with $1, $2, … in the place of the names
  std::vector<std::string> names;   // which stands for $1, $2, …
  std::vector<std::string> quoted;  // names in quotes, where SQL sees text
};
// What stands in quotes, dollar quotes and comments is left as it is. invalid: a name in braces
// that do not close, or numbers ($1) beside names.
Result<SqlNames> names_in_sql(std::string_view sql);

}  // namespace lb::plan
