// LogFetch: brings the log a base backup needs into the repository: by itself through a temporary
// slot, or by waiting for the running stream and stepping in when nothing comes. Private to
// stores/postgres.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "foundation/sys/clock.h"
#include "storage/repo/repository.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/replication.h"

namespace lb::pg {

// True when the repository's log of `timeline` holds every byte from `from` to `until`.
Result<bool> log_covers(repo::Repository& repository, const std::string& log_id,
                        std::uint64_t segment_bytes, std::uint32_t timeline, Lsn from, Lsn until);

class LogFetch {
 public:
  // `slot`: the link's temporary slot that keeps the log on the server meanwhile; empty without
  // one.
  LogFetch(std::unique_ptr<ReplicationLink> link, std::string slot, repo::Repository& repository,
           Clock& clock, std::string log_id, std::uint64_t segment_bytes);
  ~LogFetch();

  // Begins to receive in a thread of its own.
  void start(std::uint32_t timeline, Lsn from);
  // Waits until the log is durable up to `until`. When start() was not called: waits for the log of
  // the running stream first, as long as it grows, and fetches what is missing then.
  Status finish(std::uint32_t timeline, Lsn from, Lsn until, bool stream_runs,
                std::stop_token stop);
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Status receive(std::uint32_t timeline, Lsn from, const std::stop_token& stop);
  Result<bool> wait_for_stream(std::uint32_t timeline, Lsn from, Lsn until,
                               const std::stop_token& stop);

  std::unique_ptr<ReplicationLink> link_;
  std::string slot_;
  repo::Repository& repository_;
  Clock& clock_;
  std::string log_id_;
  std::uint64_t segment_bytes_;
  std::atomic<Lsn> until_ = 0;  // 0: not known yet
  Status outcome_;
  std::vector<std::string> warnings_;
  std::stop_source stop_;
  std::jthread thread_;  // last: joins first
};

}  // namespace lb::pg
