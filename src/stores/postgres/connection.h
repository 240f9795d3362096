// Connection: one libpq connection with text results. libpq stays inside connection.cc and the
// replication files. Errors: store_unreachable when the server is not there; SQLSTATE in native();
// never the password. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/base/time.h"

namespace lb::pg {

using QueryRow = std::vector<std::optional<std::string>>;

struct QueryResult {
  std::vector<std::string> columns;
  std::vector<QueryRow> rows;
  std::string command;  // "SELECT 3"
};

struct ConnectOptions {
  bool replication = false;
  std::string application_name = "lifeboat";
  Micros connect_limit = Seconds(10);
  Micros statement_limit{0};            // 0: none
  std::string database = {};            // overrides the conninfo's
  std::string require_run_marker = {};  // when set: SHOW lifeboat.run must equal it, else refused
};

class Connection {
 public:
  // `conninfo`: anything libpq takes: URI, key=value, service, socket folder.
  static Result<std::unique_ptr<Connection>> open(const Secret& conninfo,
                                                  const ConnectOptions& options = {});
  virtual ~Connection() = default;
  virtual Result<QueryResult> query(const std::string& sql, std::size_t rows_max = 1000000) = 0;
  virtual Result<QueryResult> query(const std::string& sql,
                                    const std::vector<std::string>& parameters) = 0;
  // Each row as it comes, of an answer that may have any number of them. The first error of `take`
  // ends the query.
  using TakeRow = std::function<Status(const QueryRow& row)>;
  virtual Status each_row(const std::string& sql, const std::vector<std::string>& parameters,
                          const TakeRow& take) = 0;
  // Values in binary form: bytea as its bytes.
  virtual Result<QueryResult> query_binary(const std::string& sql,
                                           const std::vector<std::string>& parameters) = 0;
  virtual int server_version() const = 0;  // 150018
  virtual void* native() = 0;              // PGconn*, for this folder only
};

// A quoted identifier ("a b", schema.table parts quoted apart).
std::string quote_name(const std::string& name);
std::string quote_literal(const std::string& text);
// A value of a connection string.
std::string quote_conninfo(std::string_view value);

}  // namespace lb::pg
