// A read-only connection to the restored copy of one postgres store, opened anew for every check so
// that each proves it asks the right server. Internal to this folder.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recovery/check/scope.h"
#include "stores/postgres/connection.h"

namespace lb::check {

using ConnectionPtr = std::unique_ptr<pg::Connection>;

// denied when the store carries no run marker or the server shows another one. The session is
// read-only, and row security raises an error instead of hiding rows.
Result<ConnectionPtr> connect(const Scope& scope);
Result<ConnectionPtr> connect(const Scope& scope, const CheckedStore& store);
// All later queries see one state of the database, also while services write to it.
Status begin_snapshot(pg::Connection& connection);

// A statement of the plan without the semicolon and blanks at its end.
std::string bare_statement(const std::string& sql);

// Reads the rows of one query in batches, so that memory does not grow with the answer. The
// statement goes alone to the server: a second one after a semicolon is refused.
class RowReader {
 public:
  // `name` tells cursors of one transaction apart.
  static Result<RowReader> open(pg::Connection& connection, const std::string& name,
                                const std::string& sql, std::size_t batch_rows);
  // An empty batch is the end.
  Result<std::vector<std::vector<std::optional<std::string>>>> next();
  const std::vector<std::string>& columns() const { return columns_; }  // after the first next()

 private:
  RowReader(pg::Connection& connection, std::string fetch)
      : connection_(&connection), fetch_(std::move(fetch)) {}
  pg::Connection* connection_;
  std::string fetch_;
  std::vector<std::string> columns_;
};

// A table of the plan: "orders" (in public) or "billing.orders".
struct TableName {
  std::string schema, name;
  std::string text() const;    // billing.orders
  std::string quoted() const;  // "billing"."orders"
};
TableName parse_table(const std::string& text);
std::string quoted_part(const std::string& part);

struct Table {
  std::uint32_t oid = 0, filenode = 0;  // filenode 0: no file of its own
  char kind = 'r';                      // pg_class.relkind
  TableName name;
  // "ONLY s.t" for plain tables: rows of inheriting tables are not theirs.
  std::string from() const;
};
// Tables, partitioned and foreign tables, materialised views. nullopt: there is none of this name.
Result<std::optional<Table>> find_table(pg::Connection& connection, const TableName& name);

// Text of a value for evidence.
std::string shown(const std::optional<std::string>& value);
// A number the server sent; corrupt otherwise.
Result<std::int64_t> number_of(const std::optional<std::string>& value);

// True for what PostgreSQL raises on damaged data: the restored copy is bad, not the check.
bool tells_damage(const Error& error);

}  // namespace lb::check
