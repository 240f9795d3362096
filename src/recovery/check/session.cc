#include "recovery/check/session.h"

#include "foundation/base/text.h"

namespace lb::check {

Result<ConnectionPtr> connect(const Scope& scope) {
  const auto* store = LB_TRY(store_of(scope.context, scope.check.store, plan::StoreKind::postgres));
  return connect(scope, *store);
}

Result<ConnectionPtr> connect(const Scope& scope, const CheckedStore& store) {
  LB_TRY(not_stopped(scope.context));
  if (store.connection.empty() || (store.run_marker.empty() && !store.live)) {
    return Error(ErrorKind::denied, cat("store ", store.name,
                                        " carries no run marker: the check cannot prove that it "
                                        "asks the restored copy"));
  }
  pg::ConnectOptions options;
  options.application_name = "lifeboat check";
  options.require_run_marker = store.run_marker;
  options.statement_limit = scope.context.statement_limit;
  auto connection =
      LB_TRY(pg::Connection::open(Secret(std::string_view(store.connection)), options)
                 .context(cat(store.live ? "live " : "restored copy of ", store.name)));
  LB_TRY(
      connection->query("SELECT set_config('default_transaction_read_only', 'on', false),"
                        " set_config('row_security', 'off', false)"));
  return connection;
}

Status begin_snapshot(pg::Connection& connection) {
  LB_TRY(connection.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return {};
}

std::string bare_statement(const std::string& sql) {
  auto rest = trim(sql);
  while (rest.ends_with(';')) rest = trim(rest.substr(0, rest.size() - 1));
  return std::string(rest);
}

Result<RowReader> RowReader::open(pg::Connection& connection, const std::string& name,
                                  const std::string& sql, std::size_t batch_rows) {
  const std::vector<std::string> no_parameters;
  LB_TRY(connection.query(cat("DECLARE ", name, " NO SCROLL CURSOR FOR ", sql), no_parameters));
  return RowReader(connection, cat("FETCH FORWARD ", batch_rows, " FROM ", name));
}

Result<std::vector<std::vector<std::optional<std::string>>>> RowReader::next() {
  auto batch = LB_TRY(connection_->query(fetch_));
  columns_ = std::move(batch.columns);
  return std::move(batch.rows);
}

std::string quoted_part(const std::string& part) {
  return cat('"', replace_all(part, "\"", "\"\""), '"');
}

std::string TableName::text() const { return cat(schema, ".", name); }

std::string TableName::quoted() const { return cat(quoted_part(schema), ".", quoted_part(name)); }

TableName parse_table(const std::string& text) {
  auto point = text.find('.');
  if (point == std::string::npos) return {"public", text};
  return {text.substr(0, point), text.substr(point + 1)};
}

std::string Table::from() const { return cat(kind == 'r' ? "ONLY " : "", name.quoted()); }

Result<std::optional<Table>> find_table(pg::Connection& connection, const TableName& name) {
  auto found = LB_TRY(connection.query(
      "SELECT c.oid, coalesce(pg_relation_filenode(c.oid), 0), c.relkind FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'm')",
      std::vector<std::string>{name.schema, name.name}));
  if (found.rows.empty()) return std::optional<Table>();
  const auto& row = found.rows[0];
  Table table;
  table.oid = static_cast<std::uint32_t>(LB_TRY(number_of(row.at(0))));
  table.filenode = static_cast<std::uint32_t>(LB_TRY(number_of(row.at(1))));
  table.kind = row.at(2).value_or("r").at(0);
  table.name = name;
  return std::optional(table);
}

std::string shown(const std::optional<std::string>& value) {
  return value ? shortened(printable(*value), 120) : "NULL";
}

Result<std::int64_t> number_of(const std::optional<std::string>& value) {
  auto number = parse_int(value.value_or(""));
  if (!number.ok()) {
    return Error(ErrorKind::corrupt, cat("the server answered ", shown(value), " for a number"));
  }
  return *number;
}

bool tells_damage(const Error& error) {
  // data_corrupted, index_corrupted, and a relation whose file is gone.
  for (std::string_view code : {"XX001", "XX002", "58P01"}) {
    if (error.native() == cat("SQLSTATE ", code)) return true;
  }
  return false;
}

}  // namespace lb::check
