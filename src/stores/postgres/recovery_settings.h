// Settings of the private server: what is forced, what must be at least as on the primary, and what
// of the restored configuration may come back. Pure text work.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "stores/postgres/restore.h"

namespace lb::pg {

// The output of pg_controldata (LC_ALL=C): "name: value" lines.
std::map<std::string, std::string> parse_controldata(std::string_view text);

// The value of `name` in a configuration file, unquoted; empty when it is not set. Last one wins.
std::string setting_in(std::string_view configuration, std::string_view name);

// Of a list of libraries those without which the data cannot be read (they own tables or log
// records).
std::string needed_libraries(std::string_view shared_preload_libraries);

struct ServerSettings {
  int server_version = 0;
  std::map<std::string, std::string> controldata;
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
