#include "stores/postgres/same_cluster.h"

#include <cstring>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"

namespace lb::pg {
namespace {

constexpr std::size_t control_bytes = 8192;
constexpr std::size_t pid_file_max = 64 << 10;
constexpr std::int64_t start_slack = 10;  // seconds between the file and the server's own clock

// Lines of postmaster.pid: process, data directory, start time, port, …
struct PidFile {
  std::int64_t started = 0;
  std::string port;
};

Error other(const std::string& folder, const std::string& what) {
  return Error(ErrorKind::denied, cat(printable(folder),
                                      " is not the data directory of the server "
                                      "that the plan's address reaches: ",
                                      what))
      .with_hint("correct `data:` or the address in the plan; nothing was read")
      .with_exit(ExitCode::refused);
}

Result<PidFile> read_pid_file(Files& files, const std::string& folder) {
  const auto bytes = read_file(files, path_join(folder, "postmaster.pid"), pid_file_max);
  if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found)
    return other(folder, "no server runs on it");
  if (!bytes.ok()) return bytes.error();
  const std::vector<std::string> lines = split(text_of(*bytes), '\n');
  if (lines.size() < 4) return other(folder, "its postmaster.pid is cut short");
  PidFile out;
  out.started = LB_TRY(parse_int(trim(lines[2])));
  out.port = std::string(trim(lines[3]));
  return out;
}

}  // namespace

Status check_same_cluster(Files& files, const Secret& conninfo, const std::string& data_folder) {
  const std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo));
  const QueryResult asked = LB_TRY(connection->query(
      "SELECT system_identifier::text, extract(epoch FROM pg_catalog.pg_postmaster_start_time())"
      "::bigint::text, pg_catalog.current_setting('port') FROM pg_catalog.pg_control_system()"));
  if (asked.rows.size() != 1) return Error(ErrorKind::internal, "the server does not know itself");
  auto control = read_file(files, path_join(data_folder, "global/pg_control"), control_bytes);
  if (!control.ok()) return std::move(control).take_error().context("read the data directory");
  if (control->size() < 8) return other(data_folder, "its pg_control is cut short");
  std::uint64_t identifier = 0;
  std::memcpy(&identifier, control->data(), sizeof identifier);
  const std::string known = asked.rows[0][0].value_or("");
  if (std::to_string(identifier) != known)
    return other(data_folder, cat("system identifier ", identifier, ", the server's is ", known));
  const PidFile pid_file = LB_TRY(read_pid_file(files, data_folder));
  const std::int64_t started = LB_TRY(parse_int(asked.rows[0][1].value_or("")));
  if (pid_file.started > started + start_slack || started > pid_file.started + start_slack)
    return other(data_folder, "another server was started on it");
  if (pid_file.port != asked.rows[0][2].value_or(""))
    return other(data_folder, cat("the server on it listens on port ", pid_file.port));
  return {};
}

}  // namespace lb::pg
