#include "stores/postgres/connect.h"

#include "foundation/base/text.h"
#include "stores/postgres/pq_error.h"
#include "stores/postgres/socket_wait.h"

namespace lb::pg {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ConninfoOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

Error unreachable(ErrorKind kind, std::string text) {
  return Error(kind, std::move(text)).with_exit(ExitCode::store_unreachable);
}

// libpq's own parse errors quote the text they stumble over, which may be the password.
Result<ConninfoOptions> parse(const std::string& text) {
  char* problem = nullptr;
  ConninfoOptions options(PQconninfoParse(text.c_str(), &problem));
  if (problem != nullptr) PQfreemem(problem);
  if (options) return options;
  return unreachable(ErrorKind::invalid, "the connection string cannot be parsed")
      .with_hint("use postgresql://user@host:port/database or host=… port=… user=… dbname=…");
}

std::string without_secrets(std::string text, const ConninfoOptions& options) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view name = option->keyword;
    const bool secret = name == "password" || name == "sslpassword";
    if (!secret || option->val == nullptr || *option->val == '\0') continue;
    text = replace_all(std::move(text), option->val, "***");
  }
  return text;
}

std::string hint_for(const ServerMessage& message) {
  if (message.sqlstate == "28P01") return "check the user and password of the store's connection";
  if (message.sqlstate == "28000") {
    return "add a line for this user and address to pg_hba.conf (database \"replication\" for "
           "backups), then SELECT pg_reload_conf()";
  }
  if (message.sqlstate == "42501") return "ALTER ROLE … REPLICATION, or use a superuser";
  if (message.sqlstate.empty()) return "is the server running and reachable from this host?";
  return {};
}

Error connect_error(PGconn* connection, const ConninfoOptions& options) {
  ServerMessage message = read_server_message(PQerrorMessage(connection));
  message.text = without_secrets(std::move(message.text), options);
  // A server that is starting or shutting down answers 57P03: it is merely away.
  Error error = unreachable(kind_of_sqlstate(message.sqlstate), message.text);
  if (!message.sqlstate.empty())
    error = std::move(error).with_native("SQLSTATE " + message.sqlstate);
  const std::string hint = hint_for(message);
  if (!hint.empty()) error = std::move(error).with_hint(hint);
  return error;
}

// Later entries win over the connection string, earlier ones are its defaults.
PgConn begin(const std::string& conninfo, const ConnectOptions& options) {
  std::vector<const char*> names = {"keepalives_idle", "keepalives_interval", "keepalives_count",
                                    "tcp_user_timeout"};
  std::vector<const char*> values = {"30", "10", "3", "60000"};
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  add("dbname", conninfo.c_str());
  add("application_name", options.application_name.c_str());
  add("client_encoding", "UTF8");
  if (!options.database.empty()) add("dbname", options.database.c_str());
  if (options.replication) add("replication", "true");
  add(nullptr, nullptr);
  return PgConn(PQconnectStartParams(names.data(), values.data(), 1));
}

}  // namespace

Result<PgConn> connect(const Secret& conninfo, const ConnectOptions& options) {
  std::string text(conninfo.reveal());
  if (text.find('=') == std::string::npos && text.find("://") == std::string::npos) {
    return unreachable(ErrorKind::invalid, "the connection string is empty or has no settings")
        .with_hint("use postgresql://user@host:port/database or host=… port=… user=… dbname=…");
  }
  const ConninfoOptions parsed = LB_TRY(parse(text));
  PgConn connection = begin(text, options);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  if (!connection) return Error(ErrorKind::exhausted, "no memory for a connection");
  // The verbose form is the only one that carries the SQLSTATE of a refused connection.
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD) {
    if (state == PGRES_POLLING_OK) {
      PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
      return connection;
    }
    if (state == PGRES_POLLING_FAILED) break;
    const SocketEvent event =
        state == PGRES_POLLING_READING ? SocketEvent::readable : SocketEvent::writable;
    const WaitOutcome outcome = wait_for_socket(connection.get(), event, options.connect_limit);
    if (outcome == WaitOutcome::timed_out) {
      return unreachable(ErrorKind::timeout, cat("no answer from ", PQhost(connection.get()),
                                                 " within ", human_duration(options.connect_limit)))
          .with_hint("is the server running and reachable from this host?");
    }
    state = PQconnectPoll(connection.get());
  }
  return connect_error(connection.get(), parsed);
}

}  // namespace lb::pg
