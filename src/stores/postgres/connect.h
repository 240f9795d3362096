// Opening a libpq connection with a limit, without ever repeating a password in an error.
// Private to stores/postgres.
#pragma once

#include <libpq-fe.h>

#include <memory>

#include "foundation/base/result.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PgConn = std::unique_ptr<PGconn, CloseConnection>;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ClearResult>;

// All errors carry store_unreachable. In physical replication mode `options.replication` wins over
// the database.
Result<PgConn> connect(const Secret& conninfo, const ConnectOptions& options);

}  // namespace lb::pg
