// One PostgreSQL point, restored and running: laid out, replayed to its target and promoted, in a
// sandbox. The restore verb shuts the server down afterwards; a drill keeps it for the checks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "recovery/restore/points.h"
#include "stores/postgres/restore.h"

namespace lb::restore {

struct PostgresPlace {
  std::string data_folder;     // becomes PGDATA
  std::string private_folder;  // sockets, log spool and server log; visible inside the sandbox
};

struct PostgresWishes {
  PostgresPlace place;
  UserId owner;
  bool throwaway = true;
  // Tablespaces outside of the data folder: oid -> folder, which is there, private and visible in
  // the sandbox.
  std::vector<std::pair<std::uint32_t, std::string>> tablespaces = {};
  bool over_present = false;  // the data folder may hold something: see pg::LayoutOptions
  std::string run_marker;
  unsigned workers = 2;
  ProgressSink progress;
  // Called between the two halves, for the stage clock: "restore" is done, "replay" begins.
  std::function<void(const RestoreOutcome&)> laid_out;
};

struct PostgresRestored {
  std::unique_ptr<repo::SnapshotReader> snapshot;
  std::unique_ptr<pg::RecoveryServer> server;
  RestoreOutcome layout;
};

Result<PostgresRestored> restore_postgres(World& world, repo::Repository& repository,
                                          const Choice& choice, const PostgresWishes& wishes,
                                          Sandbox& sandbox, std::stop_token stop);

}  // namespace lb::restore
