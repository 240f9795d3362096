#include "stores/postgres/recovery_settings.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

// Names of what leads a copy to the archive, the primary or the recovery of the original.
constexpr std::array production_settings = {"archive_mode",
                                            "archive_command",
                                            "archive_library",
                                            "archive_cleanup_command",
                                            "restore_command",
                                            "recovery_end_command",
                                            "primary_conninfo",
                                            "primary_slot_name",
                                            "recovery_target",
                                            "recovery_target_time",
                                            "recovery_target_lsn",
                                            "recovery_target_name",
                                            "recovery_target_xid",
                                            "recovery_target_timeline",
                                            "recovery_target_inclusive",
                                            "recovery_target_action",
                                            "synchronous_standby_names",
                                            "promote_trigger_file"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// "name" of a line "name = value" or "name value", in lower case; empty for others.
std::string name_of_line(std::string_view line) {
  line = trim(line);
  std::size_t end = 0;
  while (end < line.size() && is_name_character(line[end])) ++end;
  return lower(line.substr(0, end));
}

std::string value_of_line(std::string_view line) {
  line = trim(line);
  while (!line.empty() && is_name_character(line.front())) line.remove_prefix(1);
  line = trim(line);
  if (line.starts_with('=')) line = trim(line.substr(1));
  if (!line.starts_with('\'')) return std::string(trim(line.substr(0, line.find_first_of("# \t"))));
  std::string value;
  for (std::size_t i = 1; i < line.size(); ++i) {
    bool pair =
        i + 1 < line.size() && (line[i] == '\\' || (line[i] == '\'' && line[i + 1] == '\''));
    if (line[i] == '\'' && !pair) break;
    value += pair ? line[++i] : line[i];
  }
  return value;
}

std::string at_least(std::uint32_t value, std::uint32_t least) {
  return std::to_string(std::max(value, least));
}

class Configuration {
 public:
  void set(const std::string& name, std::string_view value) {
    text_ += cat(name, " = ", quote_setting(value), "\n");
  }
  void note(const std::string& text) { text_ += cat("# ", text, "\n"); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_isolation(Configuration& out, const RecoveryOptions& options,
                   const ServerSettings& settings) {
  out.note("Reachable by its private socket alone; knows nothing of production.");
  out.set("listen_addresses", "");
  out.set("port", "5432");
  out.set("unix_socket_directories", options.socket_folder);
  out.set("unix_socket_permissions", "0700");
  out.set("ssl", "off");
  out.set("archive_mode", "off");
  out.set("archive_command", "");
  out.set("primary_conninfo", "");
  out.set("primary_slot_name", "");
  out.set("synchronous_standby_names", "");
  out.set("max_logical_replication_workers", "0");
  out.set("shared_preload_libraries", settings.preload);
  out.set("session_preload_libraries", "");
  out.set("local_preload_libraries", "");
  out.set("lifeboat.run", options.run_marker);
}

void add_limits(Configuration& out, const ServerSettings& settings) {
  out.note("At least what the primary had, or its prepared transactions would find no room.");
  const auto& control = settings.control;
  out.set("max_connections", at_least(control.connections, 20));
  out.set("max_worker_processes", at_least(control.worker_processes, 8));
  out.set("max_wal_senders", at_least(control.wal_senders, 0));
  out.set("max_prepared_transactions", at_least(control.prepared_transactions, 0));
  out.set("max_locks_per_transaction", at_least(control.locks_per_transaction, 64));
  out.set("track_commit_timestamp", control.commit_times ? "on" : "off");
  out.set("wal_level", "replica");
}

void add_recovery(Configuration& out, const RecoveryTarget& target,
                  const ServerSettings& settings) {
  out.note("Recovery. Nobody may ask before the point is reached, so no standby queries either.");
  out.set("hot_standby", "off");
  out.set("restore_command", settings.restore_command);
  out.set("recovery_target_timeline", std::to_string(target.timeline));
  if (settings.server_version >= 150000) out.set("recovery_prefetch", "off");
  if (settings.server_version >= 140000) out.set("recovery_init_sync_method", "syncfs");
  if (target.at_consistency) {
    out.set("recovery_target", "immediate");
  } else if (target.stop_lsn) {
    out.set("recovery_target_lsn", format_lsn(*target.stop_lsn));
    out.set("recovery_target_inclusive", target.inclusive ? "on" : "off");
  }
  out.set("recovery_target_action", "promote");
}

}  // namespace

// ControlFileData (pg_control.h) is laid out alike in all of these up to here; 17 put a field where
// there was padding.
Result<ControlLimits> parse_control_limits(ByteView pg_control) {
  constexpr std::size_t version_at = 8, limits_at = 180;
  constexpr std::uint32_t connections_max = 262143;  // MAX_BACKENDS
  if (pg_control.size() < limits_at + 21)
    return Error(ErrorKind::corrupt, "global/pg_control is cut short");
  const auto version = load<std::uint32_t>(&pg_control[version_at]);
  if (version != 1300 && version != 1700 && version != 1800) {
    return Error(
        ErrorKind::corrupt,
        cat("global/pg_control is of no PostgreSQL 13 to 18 (its version is ", version, ")"));
  }
  WalCursor cursor(pg_control.subspan(limits_at));
  ControlLimits limits;
  for (auto* limit : {&limits.connections, &limits.worker_processes, &limits.wal_senders,
                      &limits.prepared_transactions, &limits.locks_per_transaction})
    *limit = cursor.take<std::uint32_t>();
  limits.commit_times = cursor.take<std::uint8_t>() != 0;
  if (limits.connections == 0 || limits.connections > connections_max)
    return Error(ErrorKind::corrupt, "global/pg_control says an impossible max_connections");
  return limits;
}

std::string setting_in(std::string_view configuration, std::string_view name) {
  std::string value;
  for (const auto& line : split(configuration, '\n')) {
    if (name_of_line(line) == name) value = value_of_line(line);
  }
  return value;
}

std::string needed_libraries(std::string_view shared_preload_libraries) {
  constexpr std::array owners = {"timescaledb", "citus", "citus_columnar", "orioledb", "pg_tde"};
  std::vector<std::string> kept;
  for (const auto& item : split(shared_preload_libraries, ',')) {
    auto name = replace_all(replace_all(std::string(trim(item)), "\"", ""), "$libdir/", "");
    if (std::find(owners.begin(), owners.end(), name) != owners.end()) kept.push_back(name);
  }
  return join(kept, ",");
}

std::string make_configuration(const RecoveryOptions& options, const RecoveryTarget& target,
                               const ServerSettings& settings) {
  Configuration out;
  out.note("Made by Lifeboat for a restored copy.");
  add_isolation(out, options, settings);
  add_limits(out, settings);
  add_recovery(out, target, settings);
  out.set("logging_collector", "off");
  out.set("log_destination", "stderr");
  out.set("log_line_prefix", "%m [%p] ");
  out.set("lc_messages", "C");
  out.set("huge_pages", "off");
  out.set("jit", "off");
  if (options.throwaway) {
    out.note("A throwaway copy: after a crash it would be restored anew.");
    out.set("fsync", "off");
    out.set("full_page_writes", "off");
    out.set("autovacuum", "off");
    out.set("restart_after_crash", "off");
  }
  return out.take();
}

std::string without_production(std::string_view configuration) {
  std::string out =
      "# Restored by Lifeboat. Archiving, upstream connections and recovery targets of the "
      "original are\n"
      "# commented out below, so that this copy cannot write into another server's archive.\n"
      "# Switch archiving on again only when this server is meant to be the primary.\n";
  std::string_view rest = configuration;
  while (!rest.empty()) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    auto name = name_of_line(line);
    bool dropped = std::find(production_settings.begin(), production_settings.end(), name) !=
                   production_settings.end();
    // Connection strings may hold passwords: only the name stays.
    out += dropped ? cat("#", name, " = removed by Lifeboat") : std::string(line);
    out += '\n';
  }
  return out + "archive_mode = off\n";
}

std::string quote_setting(std::string_view value) {
  std::string out = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

}  // namespace lb::pg
