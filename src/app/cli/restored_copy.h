// RestoredCopy: a point restored into a throwaway folder and recovered in a sandbox, for what is
// taken out of it: a table, a database.
#pragma once

#include <memory>
#include <string>

#include "app/cli/replay_place.h"
#include "recovery/restore/postgres_restore.h"
#include "stores/postgres/database_rescue.h"

namespace lb::cli {

class RestoredCopy {
 public:
  // `database`: the one that is wanted of it. What was laid out is removed after a failure.
  static Result<std::unique_ptr<RestoredCopy>> make(const Shell& shell, Session& session,
                                                    const restore::Choice& choice,
                                                    const std::string& database);
  // Ends its server and removes its folder.
  Status close();

  std::string conninfo() const;  // of the database, a superuser
  // Refused unless it is the server that was restored.
  Result<std::unique_ptr<pg::Connection>> open() const;
  const pg::RecoveryReached& reached() const { return restored_->server->reached(); }
  pg::RecoveryServer& server() const { return *restored_->server; }
  const std::string& run_marker() const { return marker_; }
  const ReplayPlace& place() const { return place_; }

 private:
  explicit RestoredCopy(const Shell& shell) : shell_(shell) {}
  Status restore(Session& session, const restore::Choice& choice);

  const Shell& shell_;
  ReplayPlace place_;
  std::optional<restore::PostgresRestored> restored_;
  std::string marker_, database_;
};

// Before anything is restored: whether a database of the point can be carried into that server,
// which may be of the same or a newer major version; and with which programs. refused (exit 5).
Status check_majors(const Shell& shell, const restore::Choice& choice,
                    const pg::Connection& target);

// Streams the copy's database into a server, as a new one.
Result<pg::MovedDatabase> move_database(const Shell& shell, const RestoredCopy& copy,
                                        const Secret& into, const pg::DatabaseWish& wish);

}  // namespace lb::cli
