// Settings of the private server: what is forced, what must be at least as on the primary, and what
// of the restored configuration may come back. Pure text work.
#pragma once

#include <string>
#include <string_view>

#include "stores/postgres/restore.h"

namespace lb::pg {

// What the server that wrote global/pg_control had room for: its copy needs at least as much.
struct ControlLimits {
  std::uint32_t connections = 0, worker_processes = 0, wal_senders = 0, prepared_transactions = 0,
                locks_per_transaction = 0;
  bool commit_times = false;  // track_commit_timestamp
};
// Of PostgreSQL 13 to 18; corrupt when it is of no such server.
Result<ControlLimits> parse_control_limits(ByteView pg_control);

// The value of `name` in a configuration file, unquoted; empty when it is not set. Last one wins.
std::string setting_in(std::string_view configuration, std::string_view name);

// Of a list of libraries those without which the data cannot be read (they own tables or log
// records).
std::string needed_libraries(std::string_view shared_preload_libraries);

struct ServerSettings {
  int server_version = 0;
  ControlLimits control;
  std::string preload;  // needed_libraries of the restored configuration
  std::string restore_command;
};
std::string make_configuration(const RecoveryOptions& options, const RecoveryTarget& target,
                               const ServerSettings& settings);

// The restored postgresql.conf / postgresql.auto.conf without what points at production: archiving,
// upstream connections, recovery targets. A note says so at the top.
std::string without_production(std::string_view configuration);

// 'value' as a configuration file takes it.
std::string quote_setting(std::string_view value);

}  // namespace lb::pg
