// The step that asks a database: what came back is shown, saved, and held to what is expected.
#include "app/cli/query_step.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/sql_names.h"
#include "model/plan/view.h"
#include "recovery/check/comparison.h"
#include "stores/postgres/connection.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;
constexpr std::size_t rows_max = 1000;

// Values go beside the statement and never into it, whatever people answered.
Result<pg::QueryResult> answer_of(const Act& act, const std::string& text,
                                  pg::Connection& connection) {
  auto sql = LB_TRY(plan::names_in_sql(text));
  if (sql.names.empty()) return connection.query(text, rows_max);
  std::vector<std::string> values;
  for (const auto& name : sql.names) {
    values.push_back(LB_TRY(act.expand(cat("${", name, "}"))));
    // The server would be given what stands before it.
    if (values.back().find('\0') != std::string::npos)
      return Error(ErrorKind::invalid, cat("$", name, " holds a zero byte, which no SQL can"));
  }
  auto out = LB_TRY(connection.query(sql.sql, values));
  if (out.rows.size() > rows_max)
    return Error(ErrorKind::exhausted, cat("the query gave more than ", rows_max, " rows"));
  return out;
}

}  // namespace

Result<ActEnd> RunActs::query(const Act& act) {
  plan::View what(act.step().what, no_files);
  auto name = LB_TRY(act.expand(what.text("store")));
  const auto* store = plan_.store(name);
  if (store == nullptr || store->kind != plan::StoreKind::postgres)
    return Error(ErrorKind::unsupported, cat("query asks postgres stores, not ", name));
  auto address = store->address;
  if (what.has("on")) {
    auto on = LB_TRY(act.expand(what.text("on")));
    const auto* target = plan_.target(on);
    if (target == nullptr) return Error(ErrorKind::invalid, cat("the plan has no target ", on));
    address = LB_TRY(place_of(session_, *store, *target)).server;
  }
  auto secret = LB_TRY(session_.references->secret(address));
  return ask_database(act, secret, "", redactor_);
}

Result<ActEnd> ask_database(const Act& act, const Secret& address, const std::string& run_marker,
                            const check::Redactor& redactor) {
  plan::View what(act.step().what, no_files);
  pg::ConnectOptions options;
  options.application_name = "lifeboat runbook";
  options.statement_limit = act.step().limit.value_or(std::chrono::minutes(5));
  options.require_run_marker = run_marker;
  auto connection = LB_TRY(pg::Connection::open(address, options));
  LB_TRY(connection->query("SET default_transaction_read_only = on"));
  auto answer = LB_TRY(answer_of(act, what.text("sql"), *connection));
  ActEnd out;
  out.ok = true;
  out.text = cat(answer.rows.size(), answer.rows.size() == 1 ? " row" : " rows");
  std::string first;
  std::vector<std::vector<std::string>> rows = {answer.columns};
  for (const auto& row : answer.rows) {
    rows.emplace_back();
    for (const auto& value : row) rows.back().push_back(value.value_or("–"));
    if (rows.size() == 2 && !row.empty()) first = row.front().value_or("");
  }
  constexpr std::size_t shown_max = 21;
  if (rows.size() > shown_max) rows.resize(shown_max);
  out.data.set("output", redactor.clean(table(rows)));
  for (const auto& [saved, where] : act.step().save) out.set[saved] = first;
  if (what.has("save")) out.set[what.text("save")] = first;
  auto expect = what.comparison("expect");
  if (!expect) return out;
  if (answer.rows.empty() || answer.rows.front().empty()) {
    out.ok = false;
    out.text = cat("there is no row, expected ", check::text_of(*expect));
    return out;
  }
  const auto& got = answer.rows.front().front();
  out.ok = LB_TRY(check::holds(*expect, got).context("expect"));
  out.text = redactor.clean(
      cat("the first value is ", got.value_or("null"), ", expected ", check::text_of(*expect)));
  return out;
}

}  // namespace lb::cli
