// One database out of a restored copy into a server that runs, as a new database. pg_dump of the
// copy and psql of the target are joined by a pipe; the new database has a name that says it is
// unfinished until all rows are there and counted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/sys/world.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

struct DatabaseWish {
  std::string database, as;
  // It is to take the original's place in the server that it came from: there, on this tablespace,
  // with its publications; and with owners and grants, or not at all.
  bool replacement = false;
  std::string tablespace = {};
};

// Before anything is restored: the target may make a database and has none of that name. refused
// (exit 5) when it has.
Status check_database_target(Connection& target, const DatabaseWish& wish);

struct DatabaseMove {
  std::string copy;        // connection string of the database in the copy, of a superuser
  const Secret& into;      // of any database of the target, where new ones may be made
  std::string run_folder;  // private, seen by the copy's processes too
  UserId copy_user;        // of the copy's processes
  std::string programs;    // where pg_dump and psql lie: find_client_programs
  // Starts a process where the copy runs.
  std::function<Result<std::unique_ptr<Child>>(const Command&)> start;
};
struct MovedDatabase {
  std::uint64_t tables = 0, rows = 0;
  std::vector<std::string> left_out;  // for people
};
Result<MovedDatabase> move_database(World& world, const DatabaseMove& move,
                                    const DatabaseWish& wish, std::stop_token stop);

// What libpq's programs take from their environment instead of from a command line that all can
// read. Entries of the connection string that have no variable are left out.
Result<Environment> connection_environment(const Secret& conninfo);
// The same connection to another database of the server, as key=value.
Result<Secret> conninfo_to(const Secret& conninfo, const std::string& database);

}  // namespace lb::pg
