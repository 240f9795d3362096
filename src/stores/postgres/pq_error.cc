#include "stores/postgres/pq_error.h"

#include <cctype>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

bool is_sqlstate(std::string_view text) {
  if (text.size() != 5) return false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0 && (c < 'A' || c > 'Z')) return false;
  }
  return true;
}

// "…: FATAL:  28P01: password …" is the verbose form; the part before the severity says which
// server.
void take_sqlstate(ServerMessage& message) {
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
    const std::size_t at = message.text.find(severity);
    if (at == std::string::npos) continue;
    message.text.erase(at, severity.size());
    if (message.text.size() > at + 7 && is_sqlstate(message.text.substr(at, 5)) &&
        message.text.compare(at + 5, 2, ": ") == 0) {
      message.sqlstate = message.text.substr(at, 5);
      message.text.erase(at, 7);
    }
    return;
  }
}

}  // namespace

ErrorKind kind_of_sqlstate(std::string_view sqlstate) {
  if (sqlstate.empty()) return ErrorKind::unavailable;
  const std::string_view group = sqlstate.substr(0, 2);
  if (sqlstate == "42501" || group == "28") return ErrorKind::denied;
  if (sqlstate == "57014") return ErrorKind::timeout;
  if (sqlstate == "3D000" || sqlstate == "42704" || sqlstate == "42P01")
    return ErrorKind::not_found;
  if (sqlstate == "42710" || group == "40" || sqlstate == "55006") return ErrorKind::conflict;
  if (group == "53") return ErrorKind::exhausted;
  if (group == "08" || group == "57") return ErrorKind::unavailable;
  if (group == "XX" || group == "58") return ErrorKind::corrupt;
  if (group == "0A") return ErrorKind::unsupported;
  return ErrorKind::invalid;
}

ServerMessage read_server_message(std::string_view raw) {
  ServerMessage message;
  for (const std::string& line : split(raw, '\n')) {
    const std::string_view part = trim(line);
    if (part.empty() || part.substr(0, 9) == "LOCATION:") continue;
    if (!message.text.empty()) message.text += "; ";
    message.text += part;
  }
  take_sqlstate(message);
  message.text = printable(message.text);
  return message;
}

Error query_error(PGconn* connection, const PGresult* result, std::string_view what) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) {
    const ServerMessage message = read_server_message(PQerrorMessage(connection));
    Error error(kind_of_sqlstate(message.sqlstate), cat(what, ": ", message.text));
    return std::move(error).with_exit(ExitCode::store_unreachable);
  }
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  const std::string text = primary == nullptr ? "no message" : printable(primary);
  Error error(kind_of_sqlstate(state), cat(what, ": ", text));
  error = std::move(error).with_native(cat("SQLSTATE ", state));
  if (hint != nullptr) error = std::move(error).with_hint(printable(hint));
  const bool gone = PQstatus(connection) == CONNECTION_BAD;
  if (gone) error = std::move(error).with_exit(ExitCode::store_unreachable);
  return error;
}

}  // namespace lb::pg
