// tables: every table named in the plan is there.
#include "foundation/base/text.h"
#include "recovery/check/session.h"

namespace lb::check {

Result<Finding> check_tables(const plan::CheckTables& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  Finding out;
  std::vector<std::string> missing;
  for (const auto& text : what.tables) {
    LB_TRY(not_stopped(scope.context));
    auto table = LB_TRY(find_table(*connection, parse_table(text)));
    ++out.examined;
    if (table) continue;
    missing.push_back(text);
    out.evidence.problem(cat(parse_table(text).text(), ": no such table"));
  }
  out.expected = cat(what.tables.size(), " tables: ", join(what.tables, ", "));
  if (missing.empty()) {
    out.got = cat("all ", what.tables.size(), " there");
    return out;
  }
  out.got = cat("missing: ", join(missing, ", "));
  out.fail(cat(missing.size(), " of ", what.tables.size(),
               " tables are not in the restored copy: ", join(missing, ", ")));
  return out;
}

}  // namespace lb::check
