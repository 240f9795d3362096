// LogSink: where the received log goes: into the repository (LogWriter), or first into a spool on
// this host (SpooledLog). The stream tells the server what it says is durable. One thread. Private
// to stores/postgres.
#pragma once

#include <optional>
#include <stop_token>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

// A position on a timeline.
struct LogPlace {
  std::uint32_t timeline = 0;
  Lsn at = 0;
  bool operator==(const LogPlace&) const = default;
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Before a connection asks where to go on: all that came before is in the repository.
  virtual Status settle(std::stop_token stop) = 0;
  // Goes on at `at`, the beginning of a segment. What was received before must have been flushed.
  virtual Status begin(std::uint32_t timeline, Lsn at) = 0;
  // `at` must be received(). conflict when the repository holds other bytes of the same log.
  virtual Status append(Lsn at, ByteView bytes) = 0;
  virtual Status flush() = 0;  // all that was received is durable afterwards

  virtual std::uint32_t timeline() const = 0;
  virtual Lsn received() const = 0;
  virtual Lsn durable() const = 0;                           // the server need not keep it
  virtual LogPlace stored() const = 0;                       // in the repository
  virtual std::optional<Timestamp> last_commit() const = 0;  // newest one in the repository
  // Takes no more for now; an error: never again.
  virtual Result<bool> full() const = 0;
};

// corrupt unless what comes goes on where the last ended.
Status follows(Lsn at, Lsn received);

}  // namespace lb::pg
