// LogReceiver: one streaming connection feeding a LogWriter. It answers the server's questions and
// reports as flushed only what is durable in the repository. One thread. Private to
// stores/postgres.
#pragma once

#include <stop_token>

#include "foundation/sys/clock.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/replication.h"

namespace lb::pg {

class LogReceiver {
 public:
  // `keeps_from`: the slot's own position. Reporting less would ask the server to keep log that it
  // may have removed already.
  LogReceiver(ReplicationLink& link, LogWriter& writer, Clock& clock, Lsn keeps_from)
      : link_(link), writer_(writer), clock_(clock), keeps_from_(keeps_from) {}

  Result<CopyEvent> step(Micros limit, std::stop_token stop);  // one message
  Status report();                                             // our positions, now
  Lsn server_end() const { return server_end_; }

 private:
  Status take(ByteView message);

  ReplicationLink& link_;
  LogWriter& writer_;
  Clock& clock_;
  Lsn keeps_from_;
  Lsn server_end_ = 0;
};

}  // namespace lb::pg
