#include "stores/postgres/server_load.h"

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

namespace {

// Who is connected everybody may see; what kind of session it is and what it does, only those who
// may read all statistics: a kind that is not told is taken for that of a client.
constexpr const char* load_sql =
    "SELECT count(*),"
    " count(*) FILTER (WHERE state = 'active' AND application_name NOT LIKE 'lifeboat%'"
    "  AND extract(epoch FROM pg_catalog.clock_timestamp() - query_start) * 1000000 > $1::bigint),"
    " greatest(1, pg_catalog.current_setting('max_connections')::int"
    "  - pg_catalog.current_setting('superuser_reserved_connections')::int"
    "  - coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int),"
    " pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), current_user"
    " FROM pg_catalog.pg_stat_activity"
    " WHERE datid IS NOT NULL AND usesysid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()"
    " AND coalesce(backend_type, 'client backend') = 'client backend'";

constexpr const char* too_many_connections = "SQLSTATE 53300";

std::uint64_t number(const std::optional<std::string>& text) {
  const auto value = parse_uint(text.value_or(""));
  return value.ok() ? *value : 0;
}

}  // namespace

double ServerLoad::connections_share() const {
  if (full || connections_max == 0) return 1;
  return static_cast<double>(connections) / static_cast<double>(connections_max);
}

Result<ServerLoad> read_server_load(const Secret& conninfo, Micros slow_after) {
  ConnectOptions options;
  options.connect_limit = Seconds(5);
  options.statement_limit = Seconds(10);
  auto opened = Connection::open(conninfo, options);
  ServerLoad out;
  // Who cannot get in because it is full has learnt what was asked.
  if (!opened.ok() && opened.error().native() == too_many_connections) {
    out.full = true;
    out.slow_unknown = "the server takes no more connections";
    return out;
  }
  const auto connection = LB_TRY(std::move(opened));
  const auto found = LB_TRY(connection->query(load_sql, {cat(slow_after.count())}));
  const auto& row = found.rows.at(0);
  out.connections = number(row[0]);
  out.connections_max = number(row[2]);
  if (row[3].value_or("") == "t") {
    out.slow = number(row[1]);
  } else {
    out.slow_unknown = cat("the role may not see what others do: GRANT pg_read_all_stats TO ",
                           quote_name(row[4].value_or("")));
  }
  return out;
}

}  // namespace lb::pg
