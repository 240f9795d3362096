// TakenBackup: a real server, a base backup of it in a MemoryRepository, and its log, for restore
// tests. The backup is made by pg_basebackup, so that restoring is tested against the server's own
// truth. For tests only.
#pragma once

#include <memory>
#include <string>

#include "foundation/sys/world.h"
#include "stores/postgres/memory_repository.h"
#include "stores/postgres/restore.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {

// The real world; a test needs nothing simulated here.
struct RealWorld {
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Processes> processes = real_processes();
  std::unique_ptr<Sandboxes> sandboxes = real_sandboxes(*files);
  World world{*clock, *random, *files, *http, *processes, *sandboxes};
};

class TakenBackup {
 public:
  explicit TakenBackup(test::PostgresOptions options = {});
  test::PostgresServer& server() { return *server_; }
  // Base backup into the repository.
  void back_up();
  // Log up to this moment into the repository; the segment being written as a tail.
  void archive();

  Result<RecoveryTarget> resolve_to(const Wanted& wanted);
  // Lays out and recovers; a fresh folder each time.
  Result<std::unique_ptr<RecoveryServer>> restore(const RecoveryTarget& target,
                                                  bool throwaway = true);
  Result<std::unique_ptr<RecoveryServer>> restore_to(const Wanted& wanted);
  Result<RestoreOutcome> lay_out_in(const std::string& folder);
  std::unique_ptr<repo::SnapshotReader> reader();
  RecoveryServer::Starter starter();
  LayoutOptions layout_options(const std::string& folder) const;
  RecoveryOptions recovery_options(const std::string& folder);

  RealWorld real;
  MemoryRepository repository;
  SnapshotDetails details;
  std::string folder;  // of the last restore
  test::TempDir temporary;
  std::string run_marker = "test-run-1";

 private:
  void put_rows(const std::string& from);
  std::unique_ptr<test::PostgresServer> server_;
  std::string snapshot_id_;
  int restores_ = 0;
};

// One value from the restored server.
std::string value_of(RecoveryServer& server, const std::string& sql);

}  // namespace lb::pg
