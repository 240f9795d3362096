#include "stores/postgres/connection.h"

#include <libpq-fe.h>

#include "foundation/base/text.h"
#include "stores/postgres/connect.h"
#include "stores/postgres/pq_error.h"

namespace lb::pg {
namespace {

constexpr std::size_t rows_max = 1000000;  // of an answer with parameters

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

QueryRow row_of(const PGresult* result, int row) {
  QueryRow cells;
  cells.reserve(static_cast<std::size_t>(PQnfields(result)));
  for (int column = 0; column < PQnfields(result); ++column) {
    if (PQgetisnull(result, row, column) != 0) {
      cells.emplace_back();
    } else {
      const auto size = static_cast<std::size_t>(PQgetlength(result, row, column));
      cells.emplace_back(std::string(PQgetvalue(result, row, column), size));
    }
  }
  return cells;
}

class PqConnection final : public Connection {
 public:
  explicit PqConnection(PgConn connection) : connection_(std::move(connection)) {}

  Result<QueryResult> query(const std::string& sql, std::size_t rows_asked) override {
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
      return query_error(connection_.get(), nullptr, first_words(sql));
    }
    // Row by row, so that an unexpectedly large answer never has to fit into memory.
    PQsetSingleRowMode(connection_.get());
    return collect(sql, rows_asked);
  }

  Result<QueryResult> query(const std::string& sql,
                            const std::vector<std::string>& parameters) override {
    LB_TRY(send(sql, parameters, Format::text));
    return collect(sql, rows_max);
  }

  Status each_row(const std::string& sql, const std::vector<std::string>& parameters,
                  const TakeRow& take) override {
    LB_TRY(send(sql, parameters, Format::text));
    return read_results(sql, [&](PGresult* result) -> Status {
      for (int row = 0; row < PQntuples(result); ++row) LB_TRY(take(row_of(result, row)));
      return {};
    });
  }

  Result<QueryResult> query_binary(const std::string& sql,
                                   const std::vector<std::string>& parameters) override {
    LB_TRY(send(sql, parameters, Format::binary));
    return collect(sql, rows_max);
  }

  int server_version() const override { return PQserverVersion(connection_.get()); }
  void* native() override { return connection_.get(); }

 private:
  enum class Format : int { text = 0, binary = 1 };

  Status send(const std::string& sql, const std::vector<std::string>& parameters, Format results) {
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, static_cast<int>(results)) == 0) {
      return query_error(connection_.get(), nullptr, first_words(sql));
    }
    PQsetSingleRowMode(connection_.get());
    return {};
  }

  // The last statement's table.
  Result<QueryResult> collect(const std::string& sql, std::size_t rows_asked) {
    QueryResult table;
    bool fresh = true;
    LB_TRY(read_results(sql, [&](PGresult* result) -> Status {
      if (fresh) table = table_of(result);
      for (int row = 0; row < PQntuples(result); ++row) table.rows.push_back(row_of(result, row));
      fresh = PQresultStatus(result) != PGRES_SINGLE_TUPLE;
      if (fresh) table.command = PQcmdStatus(result);
      if (table.rows.size() <= rows_asked) return {};
      return Error(ErrorKind::exhausted,
                   cat(first_words(sql), ": more than ", human_count(rows_asked), " rows"));
    }));
    return table;
  }

  // The first failure wins. Reads to the end in every case, so that the connection can be used
  // again.
  Status read_results(const std::string& sql, const std::function<Status(PGresult*)>& take) {
    std::optional<Error> failure;
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
      const Status taken = take(result.get());
      if (taken.ok()) continue;
      failure = taken.error();
      cancel();
    }
    if (failure) return std::move(*failure);
    return {};
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
