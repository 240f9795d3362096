// sql: one value, compared.
#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

// Two rows are enough to see that there is more than one.
Result<pg::QueryResult> few_rows(pg::Connection& connection, const std::string& sql) {
  if (lower(sql.substr(0, 5)) == "show ") return connection.query(sql, std::vector<std::string>());
  LB_TRY(begin_snapshot(connection));
  auto reader = LB_TRY(RowReader::open(connection, "lifeboat_sql", sql, 2));
  pg::QueryResult out;
  out.rows = LB_TRY(reader.next());
  out.columns = reader.columns();
  return out;
}

}  // namespace

Result<Finding> check_sql(const plan::CheckSql& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  auto answer = LB_TRY(few_rows(*connection, bare_statement(what.sql)));
  if (answer.rows.empty()) {
    return Error(ErrorKind::invalid, "the query gave no row, so there is no value to compare")
        .with_hint("write a query that always gives one row, such as SELECT count(*)");
  }
  if (answer.rows.size() > 1 || answer.columns.size() != 1) {
    return Error(ErrorKind::invalid, cat("the query gave ", answer.columns.size(), " columns and ",
                                         answer.rows.size() > 1 ? "more than one row" : "one row",
                                         "; exactly one value is compared"));
  }
  const auto& value = answer.rows[0].at(0);
  Finding out;
  out.examined = 1;
  out.expected = text_of(what.expect);
  out.got = shown(value);
  out.evidence.add(cat(answer.columns[0], ": ", out.got));
  bool meets = LB_TRY(holds(what.expect, value));
  if (!meets) {
    out.fail(cat("got ", out.got, ", expected ", out.expected));
  }
  return out;
}

}  // namespace lb::check
