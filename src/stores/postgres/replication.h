// ReplicationLink: one walsender connection: identity, slots, history files, base backup and log
// streaming by the streaming replication protocol. Waits are bounded and notice a stop request.
// One thread at a time. Private to stores/postgres.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "foundation/base/bytes.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct SystemIdentity {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  Lsn position = 0;  // flushed (primary) or replayed (standby)
};

struct SlotInfo {
  bool exists = false;
  std::optional<Lsn> restart;  // none: reserves nothing yet, or lost
};

struct NextTimeline {
  std::uint32_t timeline = 0;
  Lsn begins = 0;
};

// What lay in a COPY stream: some bytes, nothing within the limit, or its end.
enum class CopyEvent { data, idle, ended };

class ReplicationLink {
 public:
  static Result<std::unique_ptr<ReplicationLink>> open(const Secret& conninfo,
                                                       const std::string& application_name);
  virtual ~ReplicationLink() = default;

  virtual Result<SystemIdentity> identify() = 0;
  virtual int server_version() const = 0;
  // A simple query of the replication grammar; text results.
  virtual Result<QueryResult> command(const std::string& text) = 0;
  virtual Result<SlotInfo> slot(const std::string& name) = 0;
  // Reserves the log from the last checkpoint's redo position on. A temporary slot goes with the
  // link.
  virtual Status create_slot(const std::string& name, bool temporary) = 0;
  virtual Result<Buffer> history(std::uint32_t timeline) = 0;

  // Sends a command whose answer is rows and then a COPY; the rows come by next_result().
  virtual Status send(const std::string& text) = 0;
  // The next result before, between or after the copies. nullopt: a copy begins, or all is over.
  virtual Result<std::optional<QueryResult>> next_result(std::stop_token stop) = 0;
  // Bytes of the COPY; the view lives until the next call.
  virtual Result<CopyEvent> next_copy(ByteView& bytes, Micros limit, std::stop_token stop) = 0;

  // `slot` may be empty. not_found when the server no longer holds that part of the log.
  virtual Status start_log(const std::string& slot, std::uint32_t timeline, Lsn from) = 0;
  virtual Status send_status(Lsn written, Lsn flushed, Timestamp now) = 0;
  // After next_copy() said `ended`: the timeline to go on with, or nothing when the server shut
  // down.
  virtual Result<std::optional<NextTimeline>> end_log(std::stop_token stop) = 0;
  virtual void
  finish_log() = 0;  // our side ends the stream; the link is then good for nothing else
};

}  // namespace lb::pg
