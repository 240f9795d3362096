// What a database is apart from its content: owner, grants, settings, limits. A database that takes
// another one's place is dressed as that one was. Private to stores/postgres.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/postgres/connection.h"

namespace lb::pg {

struct DatabaseSetting {
  std::string role;  // empty: for all
  std::string name, value;
  auto operator<=>(const DatabaseSetting&) const = default;
};
struct DatabaseGrant {
  std::string grantee;  // empty: public
  std::string privilege;
  bool grantable = false;
  auto operator<=>(const DatabaseGrant&) const = default;
};
struct DatabaseDress {
  std::string owner, tablespace;
  bool is_template = false, allows_connections = true;
  std::int64_t connections_max = -1;
  std::optional<std::string> comment;
  bool own_grants = false;                // false: those that every new database has
  std::vector<DatabaseGrant> grants;      // sorted
  std::vector<DatabaseSetting> settings;  // sorted
  bool operator==(const DatabaseDress&) const = default;
};

// not_found when there is no such database.
Result<DatabaseDress> read_dress(Connection& connection, const std::string& database);

// The statements, each allowed in a transaction, that dress a database that has nothing of its own
// yet. Not its tablespace: CREATE DATABASE says that. Pure.
std::vector<std::string> dress_statements(const std::string& database, const DatabaseDress& dress);

// COMMENT ON DATABASE …; nothing removes it.
std::string comment_statement(const std::string& database,
                              const std::optional<std::string>& comment);

// What two dresses differ in, for people; empty when they are the same.
std::string dress_difference(const DatabaseDress& wanted, const DatabaseDress& got);

}  // namespace lb::pg
