// RecoveryFeeder: hands log segments and timeline histories to a recovering server through a spool
// folder, a few segments ahead of it. The server's restore_command is a small shell script that
// takes a file when it is there, or asks for it and waits. What the repository does not hold is
// answered "no", which ends recovery; a failure of ours is answered so that recovery aborts
// instead.
//
// While segments pass, they are scanned: checksums once more, row deltas, and the ends of
// transactions.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "foundation/sys/world.h"
#include "stores/postgres/log_index.h"

namespace lb::pg {

class RecoveryFeeder {
 public:
  struct Task {
    std::string spool_folder;  // exists, belongs to the server's user
    std::string log_id;
    std::uint64_t segment_bytes = 0;
    RecoveryTarget target;
  };
  RecoveryFeeder(World& world, repo::Repository& repository, Task task);
  ~RecoveryFeeder();

  // Writes the script; afterwards restore_command() is valid. Then the thread starts.
  Status start();
  std::string restore_command() const;
  std::optional<Error> failure() const;  // why the log could not be handed over
  // Ends the thread and empties the spool. What was scanned stays.
  void stop();

  std::uint64_t bytes_fed() const;
  // After stop(): the newest commit up to `lsn`, and the newest end of any transaction that replay
  // met.
  std::optional<Commit> newest_commit(Lsn lsn) const;
  std::optional<Commit> newest_end(Lsn lsn) const;
  Result<std::map<RelationId, std::int64_t>> row_deltas(const std::string& snapshot, Lsn until);

 private:
  void run(std::stop_token stop);
  Status look(std::stop_token stop);
  Status prefetch(std::size_t present);
  Status answer(const std::string& wanted);
  Status hand_over(std::size_t index);
  Status scan(std::size_t index, ByteView bytes);
  Status put_file(const std::string& name, ByteView bytes);
  Result<Buffer> load(std::size_t index);
  std::string name_of(std::size_t index) const;
  std::string in_spool(const std::string& name) const {
    return path_join(task_.spool_folder, name);
  }

  World& world_;
  repo::Repository& repository_;
  Task task_;
  UserId owner_;
  bool change_owner_ = false;
  std::size_t next_ = 0;     // index into needed: the first never handed over
  std::size_t scanned_ = 0;  // the first not scanned
  std::unique_ptr<WalScanner> scanner_;
  std::deque<std::vector<Commit>> ends_;  // by segment, the newest ones
  std::optional<Commit> older_commit_, older_end_;
  mutable std::mutex mutex_;  // of the two below
  std::optional<Error> failure_;
  std::uint64_t bytes_fed_ = 0;
  std::jthread thread_;
};

}  // namespace lb::pg
