// What a running server must have so that one database of a point can be brought into it: looked
// at before the restore, without changing anything. An error means that it could not be looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/repo/repository.h"
#include "stores/postgres/connection.h"
#include "stores/seam/store.h"

namespace lb::pg {

// Of the database that the store's address names.
struct ServerNeeds {
  int server_version = 0;  // 150018
  std::string database;
  std::string cluster;  // its system identifier, in decimal
  // Nothing: the point does not say.
  std::optional<std::vector<std::string>> extensions, roles;
};
Result<ServerNeeds> server_needs(repo::SnapshotReader& snapshot);

// The database comes as a dump: a server of the same major or a newer one reads it, and programs
// that can write it so are on this machine.
Diagnosis check_version(Files& files, const ServerNeeds& needs, int server_version);
Result<Diagnosis> check_server_extensions(Connection& server, const ServerNeeds& needs);
Result<Diagnosis> check_server_roles(Connection& server, const ServerNeeds& needs);

// Which server and database answered, and what may be done there.
struct ServerPlace {
  std::string cluster;  // its system identifier; empty: the role may not ask for it
  std::string started;  // the microsecond, and the port: any role may ask for these
  std::string database;
  bool in_recovery = false, read_only = false, may_create = false;
  bool same_server(const ServerPlace& other) const {
    bool alike = cluster.empty() || other.cluster.empty() || cluster == other.cluster;
    return alike && started == other.started;
  }
};
Result<ServerPlace> server_place(Connection& server);

}  // namespace lb::pg
