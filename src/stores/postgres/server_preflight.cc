#include "stores/postgres/server_preflight.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/recorded_fingerprint.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::pg {

namespace {

std::vector<std::string> names_in(const Json& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items())
    out.push_back(item.is_string() ? item.string() : item["name"].string());
  return out;
}

// Those of `wanted` that the one column of `sql` does not hold.
Result<std::vector<std::string>> missing_of(Connection& server, const std::string& sql,
                                            const std::vector<std::string>& wanted) {
  auto found = LB_TRY(server.query(sql));
  std::vector<std::string> out;
  for (const auto& name : wanted) {
    bool there = std::any_of(found.rows.begin(), found.rows.end(),
                             [&](const auto& row) { return row[0] == name; });
    if (!there) out.push_back(printable(name));
  }
  return out;
}

Error says_nothing(const ServerNeeds& needs, const char* of) {
  return Error(ErrorKind::not_found, cat("the point does not say what ", of, " database ",
                                         printable(needs.database), " needs"))
      .with_hint("points taken from now on say it; look by hand");
}

}  // namespace

Result<ServerNeeds> server_needs(repo::SnapshotReader& snapshot) {
  auto details = LB_TRY(decode_details(snapshot.info().meta.details));
  ServerNeeds out;
  out.server_version = details.server_version;
  out.database = details.database;
  out.cluster = details.system_identifier;
  auto json = LB_TRY(read_fingerprint(snapshot));
  if (!json) return out;
  for (const auto& database : (*json)["databases"].items()) {
    if (database["name"].string() != out.database) continue;
    if (database.find("extensions") != nullptr) out.extensions = names_in(database["extensions"]);
    if (database.find("roles") != nullptr) out.roles = names_in(database["roles"]);
  }
  return out;
}

Diagnosis check_version(Files& files, const ServerNeeds& needs, int server_version) {
  auto wanted = needs.server_version / 10000, there = server_version / 10000;
  auto text = cat("the server is PostgreSQL ", version_text(server_version), ", the point is of ",
                  version_text(needs.server_version));
  if (there < wanted) {
    return {false, "version", cat(text, ": a database is not carried to an older one"),
            cat("give a server of PostgreSQL ", wanted, " or newer")};
  }
  auto programs = find_client_programs(files, needs.server_version, server_version);
  if (!programs.ok())
    return {false, "version", cat(text, "; ", programs.error().text()), programs.error().hint()};
  return {true, "version", text, {}};
}

Result<Diagnosis> check_server_extensions(Connection& server, const ServerNeeds& needs) {
  if (!needs.extensions) return says_nothing(needs, "extensions");
  auto missing = LB_TRY(
      missing_of(server, "SELECT name FROM pg_catalog.pg_available_extensions", *needs.extensions));
  if (missing.empty()) {
    return Diagnosis{true,
                     "extensions",
                     cat(needs.extensions->empty() ? "none is used" : "the server has ",
                         join(*needs.extensions, ", ")),
                     {}};
  }
  return Diagnosis{false, "extensions", cat("the server lacks ", join(missing, ", ")),
                   cat("install them for PostgreSQL ", server.server_version() / 10000,
                       " where the server runs")};
}

Result<Diagnosis> check_server_roles(Connection& server, const ServerNeeds& needs) {
  if (!needs.roles) return says_nothing(needs, "roles");
  auto missing =
      LB_TRY(missing_of(server, "SELECT rolname FROM pg_catalog.pg_roles", *needs.roles));
  if (missing.empty()) {
    return Diagnosis{true,
                     "roles",
                     needs.roles->empty()
                         ? std::string("none but the owner of the cluster owns or may use "
                                       "anything")
                         : cat("the server has ", join(*needs.roles, ", ")),
                     {}};
  }
  return Diagnosis{false, "roles",
                   cat("the server lacks ", join(missing, ", "),
                       ", which own or may use something in the database"),
                   "CREATE ROLE … NOLOGIN for each, or bring them back from where roles are kept"};
}

Result<ServerPlace> server_place(Connection& server) {
  // A number: how a time is written depends on the settings of role and database.
  auto found = LB_TRY(server.query(
      "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text || ' ' || "
      "pg_catalog.current_setting('port'), pg_catalog.current_database(), "
      "pg_catalog.pg_is_in_recovery(), "
      "pg_catalog.current_setting('default_transaction_read_only'), "
      "(SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user)"));
  const auto& row = found.rows.at(0);
  ServerPlace out;
  out.started = row[0].value_or("");
  out.database = row[1].value_or("");
  out.in_recovery = row[2] == "t";
  out.read_only = row[3] == "on";
  out.may_create = row[4] == "t";
  auto cluster = server.query("SELECT system_identifier::text FROM pg_catalog.pg_control_system()");
  if (cluster.ok()) out.cluster = cluster->rows.at(0).at(0).value_or("");
  return out;
}

}  // namespace lb::pg
