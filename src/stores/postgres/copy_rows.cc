#include "stores/postgres/copy_rows.h"

#include <libpq-fe.h>

#include "foundation/base/text.h"
#include "stores/postgres/connect.h"
#include "stores/postgres/pq_error.h"

namespace lb::pg {

namespace {

constexpr std::uint64_t told_bytes = 4 << 20;

Status begin_copy(PGconn* connection, const std::string& sql, ExecStatusType wanted) {
  PgResult result(PQexec(connection, sql.c_str()));
  if (PQresultStatus(result.get()) == wanted) return {};
  return query_error(connection, result.get(), "copy rows");
}

// Reads to the end of the command, so that the connection can be used again. "COPY 17" -> 17.
Result<std::uint64_t> end_copy(PGconn* connection) {
  std::uint64_t rows = 0;
  std::optional<Error> failure;
  while (PgResult result{PQgetResult(connection)}) {
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      if (!failure) failure = query_error(connection, result.get(), "copy rows");
      continue;
    }
    rows = LB_TRY(parse_uint(PQcmdTuples(result.get())));
  }
  if (failure) return std::move(*failure);
  return rows;
}

// When the server that takes the rows refused them, it has said why.
Error put_error(PGconn* to) {
  auto why = query_error(to, nullptr, "write rows");
  auto ended = end_copy(to);
  return ended.ok() ? why : std::move(ended).take_error();
}

Error give_up(PGconn* to, Error why) {
  if (PQputCopyEnd(to, "the rows could not be read") != 1) return why;
  (void)end_copy(to).ok();
  return why;
}

class CopyBuffer {
 public:
  ~CopyBuffer() { forget(); }
  char** fresh() {
    forget();
    return &bytes_;
  }
  const char* bytes() const { return bytes_; }

 private:
  void forget() {
    if (bytes_ != nullptr) PQfreemem(bytes_);
    bytes_ = nullptr;
  }
  char* bytes_ = nullptr;
};

}  // namespace

Result<CopiedRows> copy_rows(Connection& from, const std::string& out, Connection& to,
                             const std::string& in, const std::stop_token& stop,
                             const std::function<void(std::uint64_t)>& progress) {
  auto* source = static_cast<PGconn*>(from.native());
  auto* target = static_cast<PGconn*>(to.native());
  LB_TRY(begin_copy(source, out, PGRES_COPY_OUT));
  LB_TRY(begin_copy(target, in, PGRES_COPY_IN));
  CopiedRows copied;
  CopyBuffer row;
  std::uint64_t told = 0;
  int size = 0;
  while ((size = PQgetCopyData(source, row.fresh(), 0)) > 0) {
    if (stop.stop_requested()) return give_up(target, Error(ErrorKind::cancelled, "stopped"));
    if (PQputCopyData(target, row.bytes(), size) != 1) return put_error(target);
    copied.bytes += static_cast<std::uint64_t>(size);
    if (copied.bytes - told < told_bytes) continue;
    told = copied.bytes;
    if (progress) progress(told);
  }
  if (size != -1) return give_up(target, query_error(source, nullptr, "read rows"));
  auto sent = end_copy(source);
  if (!sent.ok()) return give_up(target, std::move(sent).take_error());
  if (PQputCopyEnd(target, nullptr) != 1) return put_error(target);
  copied.rows = LB_TRY(end_copy(target));
  if (copied.rows == *sent) return copied;
  return Error(ErrorKind::internal,
               cat(*sent, " rows were read and ", copied.rows, " were written"));
}

}  // namespace lb::pg
