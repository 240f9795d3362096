// Waiting on libpq's socket with a limit and a stop token. The one place of this folder that polls.
// Private to stores/postgres.
#pragma once

#include <libpq-fe.h>

#include <stop_token>

#include "foundation/base/time.h"

namespace lb::pg {

enum class SocketEvent { readable, writable };
enum class WaitOutcome { ready, timed_out, stopped, failed };

WaitOutcome wait_for_socket(PGconn* connection, SocketEvent event, Micros limit,
                            const std::stop_token& stop = {});

}  // namespace lb::pg
