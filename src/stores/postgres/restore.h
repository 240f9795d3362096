// Restoring PostgreSQL: lay out the data directory, replay the log to a target in a private server,
// learn the commit reached. The restored copy never archives, never streams, listens on no TCP
// address, and carries a run marker (setting lifeboat.run) so that checks cannot ask the wrong
// server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "foundation/sys/world.h"
#include "storage/repo/repository.h"
#include "stores/postgres/log_index.h"
#include "stores/seam/store.h"

namespace lb::pg {

// The one file that a target folder may hold before it is laid out: the mark of a restore under
// way.
inline constexpr std::string_view unfinished_mark = ".lifeboat-restore";
// What is needed beside it for a moment: a mark on its way to that name, a lock. Killed then, a
// restore leaves it behind.
inline constexpr std::string_view unfinished_mark_beside = ".lifeboat-restore.";

struct LayoutOptions {
  // Becomes PGDATA; must be missing or empty but for the mark, else refused (exit 5).
  std::string folder;
  // The folder may hold anything no server works on: what is right there is kept, what differs is
  // written, what does not belong goes. Files outside of it are never written through links.
  bool over_present = false;
  UserId owner;              // of all files (0700)
  bool change_owner = true;  // false when not root
  unsigned workers = 2;
  // Nobody reads the files soon: they go to the disk as they are written, and out of memory.
  bool write_behind = false;
  // Tablespaces are laid below folder + "/lifeboat_tablespaces/<oid>" unless mapped here (oid ->
  // path).
  std::vector<std::pair<std::uint32_t, std::string>> tablespaces;
  ProgressSink progress;
};
// Preflight: space needed, server binaries of the right major, extensions' libraries present.
struct PreflightOutcome {
  std::vector<Diagnosis> findings;  // ok == false: would fail
  std::vector<Diagnosis> unseen;    // could not be looked at: nobody knows
  std::uint64_t bytes_needed = 0, bytes_available = 0;
};
// `present`: bytes in the folder that may be written over.
Result<PreflightOutcome> preflight(World& world, repo::SnapshotReader& snapshot,
                                   const RecoveryTarget& target, const std::string& folder,
                                   std::uint64_t present = 0);
// The part of it that asks nothing of the folder: "PostgreSQL 15", "extension NAME".
Result<PreflightOutcome> check_installed(World& world, repo::SnapshotReader& snapshot);
// Of any restore of the snapshot into a folder, however much log is replayed.
Result<std::uint64_t> bytes_needed_at_most(repo::SnapshotReader& snapshot);
// Writes every file; pg_control last, from a temporary name. After a failure the folder holds no
// global/pg_control, so that nothing can start on it by accident.
Result<RestoreOutcome> lay_out(World& world, repo::SnapshotReader& snapshot,
                               const LayoutOptions& options, std::stop_token stop);

struct RecoveryOptions {
  std::string folder;         // PGDATA
  std::string socket_folder;  // 0700, owned by the server's user
  std::string spool_folder;   // where log segments are handed to the server, bounded
  std::string log_path;       // the server's log
  std::string run_marker;
  std::string binaries;   // "/usr/lib/postgresql/15/bin"
  bool throwaway = true;  // drills: fsync=off; a real restore: false
};

struct RecoveryReached {
  Lsn lsn = 0;
  std::uint32_t timeline = 0;
  std::optional<Timestamp> last_commit;  // pg_last_xact_replay_timestamp
  Micros replay_took{0};
  std::uint64_t log_bytes = 0;
};

// A private server on a laid-out folder. Its processes are started through `start` (sandbox or
// plain).
class RecoveryServer {
 public:
  using Starter = std::function<Result<std::unique_ptr<Child>>(const Command&)>;
  // Starts the server, feeds it the log of `target`, waits until the target is reached and the
  // server is promoted (pg_is_in_recovery() = false). On failure: the last lines of its log are in
  // the error.
  static Result<std::unique_ptr<RecoveryServer>> start(World& world, repo::Repository& repository,
                                                       const SnapshotDetails& details,
                                                       const RecoveryTarget& target,
                                                       const RecoveryOptions& options,
                                                       Starter starter, std::stop_token stop);
  virtual ~RecoveryServer() = default;
  virtual const RecoveryReached& reached() const = 0;
  virtual std::string conninfo()
      const = 0;  // by the Unix socket, superuser of the cluster, db postgres
  // Rows inserted minus deleted since the fingerprint, by the log that was replayed: makes recorded
  // counts exact at the point reached. See WalScanner::row_deltas.
  virtual Result<std::map<RelationId, std::int64_t>> row_deltas(const std::string& snapshot) = 0;
  virtual Status shut_down() = 0;  // fast, clean; the folder is then an ordinary data directory
};

// "/usr/lib/postgresql/15/bin" for 150018, or not_found with the package to install. Folders named
// in the environment variable LIFEBOAT_POSTGRES, each with NN/bin below, come first.
Result<std::string> find_binaries(Files& files, int server_version);
// Where the pg_dump and psql lie that carry a database from a server of one major version into one
// of another: never older than the source, the target's own if they are there.
Result<std::string> find_client_programs(Files& files, int source_version, int target_version);

}  // namespace lb::pg
