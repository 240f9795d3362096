// LogReceiver: one streaming connection feeding a LogSink. It answers the server's questions and
// reports as flushed only what is durable there. One thread. Private to
// stores/postgres.
#pragma once

#include <stop_token>

#include "foundation/sys/clock.h"
#include "stores/postgres/log_sink.h"
#include "stores/postgres/replication.h"

namespace lb::pg {

class LogReceiver {
 public:
  // `keeps_from`: the slot's own position. Reporting less would ask the server to keep log that it
  // may have removed already.
  LogReceiver(ReplicationLink& link, LogSink& sink, Clock& clock, Lsn keeps_from)
      : link_(link), sink_(sink), clock_(clock), keeps_from_(keeps_from) {}

  Result<CopyEvent> step(Micros limit, std::stop_token stop);  // one message
  Status report();                                             // our positions, now
  Lsn server_end() const { return server_end_; }

 private:
  Status take(ByteView message);

  ReplicationLink& link_;
  LogSink& sink_;
  Clock& clock_;
  Lsn keeps_from_;
  Lsn server_end_ = 0;
};

}  // namespace lb::pg
