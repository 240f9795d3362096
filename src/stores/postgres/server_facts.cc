#include "stores/postgres/server_facts.h"

#include "foundation/base/text.h"

namespace lb::pg {

std::int64_t ServerFacts::number(const std::string& setting) const {
  const auto found = settings.find(setting);
  if (found == settings.end()) return 0;
  const auto parsed = parse_int(found->second);
  return parsed.ok() ? *parsed : 0;
}

std::string version_text(int server_version) {
  return cat(server_version / 10000, ".", server_version % 10000);
}

namespace {

Lsn consistent_from(Connection& connection) {
  const auto asked =
      connection.query("SELECT min_recovery_end_lsn FROM pg_catalog.pg_control_recovery()");
  if (!asked.ok() || asked->rows.empty()) return 0;
  const auto parsed = parse_lsn(asked->rows[0][0].value_or(""));
  return parsed.ok() ? *parsed : 0;
}

}  // namespace

Result<ServerFacts> read_server_facts(Connection& connection) {
  ServerFacts facts;
  facts.version = connection.server_version();
  const QueryResult settings = LB_TRY(connection.query(
      "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('wal_level', "
      "'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size', 'archive_mode', "
      "'archive_command', 'data_checksums', 'block_size', 'segment_size', 'wal_segment_size', "
      "'wal_sender_timeout', 'full_page_writes', 'fsync', 'wal_log_hints')"));
  for (const auto& row : settings.rows) facts.settings[row[0].value_or("")] = row[1].value_or("");
  const QueryResult role = LB_TRY(
      connection.query("SELECT rolname, rolsuper, rolreplication, pg_catalog.pg_is_in_recovery() "
                       "FROM pg_catalog.pg_roles WHERE rolname = current_user"));
  const QueryResult size = LB_TRY(connection.query(
      "SELECT sum(CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') "
      "THEN pg_catalog.pg_database_size(oid) ELSE 0 END)::text FROM pg_catalog.pg_database"));
  if (role.rows.size() != 1) return Error(ErrorKind::invalid, "the server does not know our role");
  facts.role = role.rows[0][0].value_or("");
  facts.superuser = role.rows[0][1] == "t";
  facts.may_replicate = facts.superuser || role.rows[0][2] == "t";
  facts.in_recovery = role.rows[0][3] == "t";
  if (facts.in_recovery) facts.consistent_from = consistent_from(connection);
  const auto bytes = parse_uint(size.rows.empty() ? "" : size.rows[0][0].value_or(""));
  facts.data_bytes = bytes.ok() ? *bytes : 0;
  facts.checksums = facts.settings["data_checksums"] == "on";
  facts.hints_logged = facts.checksums || facts.settings["wal_log_hints"] == "on";
  // In its own unit, as pg_settings gives it: bytes for the log's segments, blocks for files.
  facts.segment_bytes = static_cast<std::uint64_t>(facts.number("wal_segment_size"));
  facts.blocks_per_segment = static_cast<std::uint32_t>(facts.number("segment_size"));
  const std::uint64_t size_of = facts.segment_bytes;
  const bool possible =
      size_of >= (1 << 20) && size_of <= (1 << 30) && (size_of & (size_of - 1)) == 0;
  if (!possible || facts.blocks_per_segment == 0) {
    return Error(ErrorKind::unsupported, cat("impossible segment size ", size_of));
  }
  return facts;
}

}  // namespace lb::pg
