#include "stores/postgres/database_dress.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

// Settings whose value is a list of quoted names: one literal for the whole would be one name.
constexpr std::array<std::string_view, 6> list_settings = {
    "local_preload_libraries",  "search_path",      "session_preload_libraries",
    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"};

// The elements of such a list: a, "b c", "d""e".
std::vector<std::string> list_elements(std::string_view value) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t at = 0; at < value.size(); ++at) {
    char c = value[at];
    bool doubled = quoted && c == '"' && at + 1 < value.size() && value[at + 1] == '"';
    if (doubled) {
      out.back() += value[++at];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (quoted || c != ' ') {
      out.back() += c;
    }
  }
  return out;
}

std::string value_in_sql(const DatabaseSetting& setting) {
  bool list =
      std::find(list_settings.begin(), list_settings.end(), setting.name) != list_settings.end();
  if (!list) return quote_literal(setting.value);
  std::vector<std::string> literals;
  for (const auto& element : list_elements(setting.value))
    literals.push_back(quote_literal(element));
  return join(literals, ", ");
}

std::string setting_statement(const std::string& database, const DatabaseSetting& setting) {
  auto whose = setting.role.empty() ? cat("ALTER DATABASE ", quote_name(database))
                                    : cat("ALTER ROLE ", quote_name(setting.role), " IN DATABASE ",
                                          quote_name(database));
  return cat(whose, " SET ", quote_name(setting.name), " TO ", value_in_sql(setting));
}

std::string grantee_in_sql(const std::string& name) {
  return name.empty() ? "PUBLIC" : quote_name(name);
}

Result<std::vector<DatabaseGrant>> read_grants(Connection& connection,
                                               const std::string& database) {
  auto found = LB_TRY(connection.query(
      "SELECT DISTINCT coalesce(rolname, ''), privilege_type, is_grantable FROM pg_database d,"
      " aclexplode(datacl) LEFT JOIN pg_roles r ON r.oid = grantee WHERE datname = $1",
      {database}));
  std::vector<DatabaseGrant> grants;
  for (const auto& row : found.rows)
    grants.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "t"});
  std::sort(grants.begin(), grants.end());
  return grants;
}

Result<std::vector<DatabaseSetting>> read_settings(Connection& connection,
                                                   const std::string& database) {
  auto found = LB_TRY(connection.query(
      "SELECT coalesce(rolname, ''), split_part(item, '=', 1),"
      " substr(item, strpos(item, '=') + 1) FROM pg_db_role_setting s"
      " JOIN pg_database d ON d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole,"
      " unnest(setconfig) item WHERE datname = $1",
      {database}));
  std::vector<DatabaseSetting> settings;
  for (const auto& row : found.rows)
    settings.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or("")});
  std::sort(settings.begin(), settings.end());
  return settings;
}

}  // namespace

Result<DatabaseDress> read_dress(Connection& connection, const std::string& database) {
  auto found = LB_TRY(connection.query(
      "SELECT rolname, spcname, datistemplate, datallowconn, datconnlimit,"
      " shobj_description(d.oid, 'pg_database'), datacl IS NOT NULL FROM pg_database d"
      " JOIN pg_roles r ON r.oid = datdba JOIN pg_tablespace t ON t.oid = dattablespace"
      " WHERE datname = $1",
      {database}));
  if (found.rows.empty())
    return Error(ErrorKind::not_found, cat("the server has no database ", printable(database)));
  const auto& row = found.rows[0];
  DatabaseDress dress;
  dress.owner = row[0].value_or("");
  dress.tablespace = row[1].value_or("");
  dress.is_template = row[2] == "t";
  dress.allows_connections = row[3] == "t";
  dress.connections_max = LB_TRY(parse_int(row[4].value_or("-1")));
  dress.comment = row[5];
  dress.own_grants = row[6] == "t";
  dress.grants = LB_TRY(read_grants(connection, database));
  dress.settings = LB_TRY(read_settings(connection, database));
  return dress;
}

std::vector<std::string> dress_statements(const std::string& database, const DatabaseDress& dress) {
  auto alter = cat("ALTER DATABASE ", quote_name(database));
  std::vector<std::string> out = {cat(alter, " OWNER TO ", quote_name(dress.owner))};
  if (dress.own_grants) {
    auto all = cat("REVOKE ALL ON DATABASE ", quote_name(database), " FROM ");
    out.push_back(cat(all, "PUBLIC"));
    out.push_back(cat(all, quote_name(dress.owner)));
  }
  for (const auto& grant : dress.grants) {
    out.push_back(cat("GRANT ", grant.privilege, " ON DATABASE ", quote_name(database), " TO ",
                      grantee_in_sql(grant.grantee), grant.grantable ? " WITH GRANT OPTION" : ""));
  }
  for (const auto& setting : dress.settings) out.push_back(setting_statement(database, setting));
  out.push_back(cat(alter, " CONNECTION LIMIT ", dress.connections_max));
  out.push_back(cat(alter, " ALLOW_CONNECTIONS ", dress.allows_connections));
  out.push_back(cat(alter, " IS_TEMPLATE ", dress.is_template));
  out.push_back(comment_statement(database, dress.comment));
  return out;
}

std::string comment_statement(const std::string& database,
                              const std::optional<std::string>& comment) {
  return cat("COMMENT ON DATABASE ", quote_name(database), " IS ",
             comment ? quote_literal(*comment) : "NULL");
}

std::string dress_difference(const DatabaseDress& wanted, const DatabaseDress& got) {
  std::vector<std::string> out;
  auto differ = [&](bool same, const char* what) {
    if (!same) out.push_back(what);
  };
  differ(wanted.owner == got.owner, "owner");
  differ(wanted.tablespace == got.tablespace, "tablespace");
  differ(wanted.is_template == got.is_template, "whether it is a template");
  differ(wanted.allows_connections == got.allows_connections, "whether it allows connections");
  differ(wanted.connections_max == got.connections_max, "connection limit");
  differ(wanted.comment == got.comment, "comment");
  differ(wanted.own_grants == got.own_grants && wanted.grants == got.grants, "grants");
  differ(wanted.settings == got.settings, "settings");
  return join(out, ", ");
}

}  // namespace lb::pg
