#include "stores/postgres/server_log.h"

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

namespace {

constexpr const char* facts_sql =
    "SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),"
    " pg_catalog.current_setting('data_directory', true),"
    " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'),"
    " pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()),"
    " pg_catalog.current_setting('archive_mode')";
constexpr const char* wal_sql =
    "SELECT name, size FROM pg_catalog.pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' ORDER BY name";
constexpr const char* archiver_sql =
    "SELECT failed_count, (extract(epoch FROM last_failed_time) * 1000000)::bigint,"
    " (extract(epoch FROM last_archived_time) * 1000000)::bigint FROM pg_catalog.pg_stat_archiver";
constexpr const char* slots_sql =
    "SELECT slot_name, wal_status, active,"
    " coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 0)::bigint"
    " FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical' ORDER BY slot_name";

std::uint64_t number(const std::optional<std::string>& text) {
  const auto value = parse_uint(text.value_or(""));
  return value.ok() ? *value : 0;
}

std::optional<Timestamp> moment(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto micros = parse_int(*text);
  return micros.ok() ? std::optional(Timestamp(Micros(*micros))) : std::nullopt;
}

// Needs pg_monitor; without it the list stays unknown.
void read_segments(Connection& connection, ServerLog& log) {
  const auto found = connection.query(wal_sql);
  if (!found.ok()) return;
  log.segments.emplace();
  for (const auto& row : found->rows) {
    const auto name = row[0].value_or("");
    log.wal_bytes += number(row[1]);
    // What lies behind the current one is empty and waits for its turn.
    if (name < log.current) log.segments->push_back(name);
  }
}

}  // namespace

Result<ServerLog> read_server_log(const Secret& conninfo) {
  ConnectOptions options;
  options.connect_limit = Seconds(5);
  options.statement_limit = Seconds(10);
  const auto connection = LB_TRY(Connection::open(conninfo, options));
  const auto recovering = LB_TRY(connection->query("SELECT pg_catalog.pg_is_in_recovery()"));
  if (recovering.rows.at(0)[0].value_or("") == "t")
    return Error(ErrorKind::unsupported, "the server recovers, and writes no log of its own");
  const auto facts = LB_TRY(connection->query(facts_sql));
  const auto& row = facts.rows.at(0);
  ServerLog log;
  log.system_identifier = row[0].value_or("");
  log.data_folder = row[1].value_or("");
  if (const auto size = number(row[2]); size != 0) log.segment_bytes = size;
  log.current = row[3].value_or("");
  log.archives = row[4].value_or("off") != "off";
  read_segments(*connection, log);
  const auto archiver = LB_TRY(connection->query(archiver_sql));
  log.failures = number(archiver.rows.at(0)[0]);
  log.last_failed = moment(archiver.rows.at(0)[1]);
  log.last_archived = moment(archiver.rows.at(0)[2]);
  const auto slots = LB_TRY(connection->query(slots_sql));
  for (const auto& slot : slots.rows) {
    log.slots.push_back(
        {slot[0].value_or(""), slot[1].value_or(""), slot[2].value_or("") == "t", number(slot[3])});
  }
  return log;
}

}  // namespace lb::pg
