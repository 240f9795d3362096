#include "stores/postgres/connection.h"

#include <libpq-fe.h>

#include "foundation/base/text.h"
#include "stores/postgres/connect.h"
#include "stores/postgres/pq_error.h"

namespace lb::pg {
namespace {

std::string first_words(const std::string& sql) {
  const std::string_view text = trim(sql);
  return cat("query \"", printable(text.substr(0, 60)), text.size() > 60 ? "…\"" : "\"");
}

QueryResult table_of(const PGresult* result) {
  QueryResult table;
  for (int column = 0; column < PQnfields(result); ++column) {
    table.columns.emplace_back(PQfname(result, column));
  }
  return table;
}

void append_rows(const PGresult* result, QueryResult& table) {
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& cells = table.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        cells.emplace_back();
      } else {
        const auto size = static_cast<std::size_t>(PQgetlength(result, row, column));
        cells.emplace_back(std::string(PQgetvalue(result, row, column), size));
      }
    }
  }
}

class PqConnection final : public Connection {
 public:
  explicit PqConnection(PgConn connection) : connection_(std::move(connection)) {}

  Result<QueryResult> query(const std::string& sql, std::size_t rows_max) override {
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
      return query_error(connection_.get(), nullptr, first_words(sql));
    }
    // Row by row, so that an unexpectedly large answer never has to fit into memory.
    PQsetSingleRowMode(connection_.get());
    return collect(sql, rows_max);
  }

  Result<QueryResult> query(const std::string& sql,
                            const std::vector<std::string>& parameters) override {
    return query_with(sql, parameters, Format::text);
  }

  Result<QueryResult> query_binary(const std::string& sql,
                                   const std::vector<std::string>& parameters) override {
    return query_with(sql, parameters, Format::binary);
  }

  int server_version() const override { return PQserverVersion(connection_.get()); }
  void* native() override { return connection_.get(); }

 private:
  enum class Format : int { text = 0, binary = 1 };

  Result<QueryResult> query_with(const std::string& sql, const std::vector<std::string>& parameters,
                                 Format results) {
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, static_cast<int>(results)) == 0) {
      return query_error(connection_.get(), nullptr, first_words(sql));
    }
    PQsetSingleRowMode(connection_.get());
    return collect(sql, 1000000);
  }

  // The last statement's table; the first failure wins. Reads to the end in every case, so that the
  // connection can be used again.
  Result<QueryResult> collect(const std::string& sql, std::size_t rows_max) {
    QueryResult table;
    std::optional<Error> failure;
    bool fresh = true;
    while (PgResult result{PQgetResult(connection_.get())}) {
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        return Error(ErrorKind::invalid, cat(first_words(sql), ": COPY is not possible here"));
      }
      const bool good = status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK ||
                        status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
      if (!good && !failure)
        failure = query_error(connection_.get(), result.get(), first_words(sql));
      if (failure) continue;
      if (fresh) table = table_of(result.get());
      append_rows(result.get(), table);
      fresh = status != PGRES_SINGLE_TUPLE;
      if (fresh) table.command = PQcmdStatus(result.get());
      if (table.rows.size() <= rows_max) continue;
      failure = Error(ErrorKind::exhausted,
                      cat(first_words(sql), ": more than ", human_count(rows_max), " rows"));
      table.rows.clear();
      cancel();
    }
    if (failure) return std::move(*failure);
    return table;
  }

  void cancel() {
    PGcancel* request = PQgetCancel(connection_.get());
    if (request == nullptr) return;
    char problem[256];
    PQcancel(request, problem, sizeof problem);
    PQfreeCancel(request);
  }

  PgConn connection_;
};

Status check_marker(Connection& connection, const std::string& wanted) {
  const auto shown =
      connection.query("SELECT current_setting('lifeboat.run', true)", std::vector<std::string>{});
  if (!shown.ok()) return shown.status();
  const auto& rows = shown->rows;
  if (rows.size() == 1 && rows[0].size() == 1 && rows[0][0] == wanted) return {};
  return Error(ErrorKind::denied, "this server does not carry the marker of this run")
      .with_hint("the connection reaches another server than the one that was restored")
      .with_exit(ExitCode::refused);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Secret& conninfo,
                                                     const ConnectOptions& options) {
  PgConn raw = LB_TRY(connect(conninfo, options));
  std::unique_ptr<Connection> connection = std::make_unique<PqConnection>(std::move(raw));
  if (options.statement_limit > Micros(0)) {
    const auto millis =
        std::max<std::int64_t>(1, options.statement_limit / std::chrono::milliseconds(1));
    LB_TRY(connection->query(cat("SET statement_timeout = ", millis)));
  }
  if (!options.require_run_marker.empty()) {
    LB_TRY(check_marker(*connection, options.require_run_marker));
  }
  return connection;
}

std::string quote_name(const std::string& name) {
  return cat('"', replace_all(name, "\"", "\"\""), '"');
}

std::string quote_literal(const std::string& text) {
  const std::string doubled = replace_all(replace_all(text, "'", "''"), "\\", "\\\\");
  // The E form reads backslashes alike whatever standard_conforming_strings says.
  return text.find('\\') == std::string::npos ? cat("'", doubled, "'") : cat("E'", doubled, "'");
}

std::string quote_conninfo(std::string_view value) {
  return cat("'", replace_all(replace_all(std::string(value), "\\", "\\\\"), "'", "\\'"), "'");
}

}  // namespace lb::pg
