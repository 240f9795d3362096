// Turning libpq's failures into errors: kind from the SQLSTATE, text without secrets.
// Private to stores/postgres.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "foundation/base/error.h"

namespace lb::pg {

// "28P01" -> denied, "53300" -> exhausted, "57014" -> timeout …; empty -> unavailable.
ErrorKind kind_of_sqlstate(std::string_view sqlstate);

// One line of a server's or libpq's message, without "FATAL:", SQLSTATE, LOCATION; the state apart.
struct ServerMessage {
  std::string text, sqlstate;
};
ServerMessage read_server_message(std::string_view raw);

// The failure of a query: of its result if there is one, else of the connection.
Error query_error(PGconn* connection, const PGresult* result, std::string_view what);

}  // namespace lb::pg
