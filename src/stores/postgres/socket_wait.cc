#include "stores/postgres/socket_wait.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace lb::pg {
namespace {

// A stop request is noticed within one slice; no wake-up descriptor is needed for that.
constexpr Micros slice = std::chrono::milliseconds(100);

}  // namespace

WaitOutcome wait_for_socket(PGconn* connection, SocketEvent event, Micros limit,
                            const std::stop_token& stop) {
  const short wanted = event == SocketEvent::readable ? POLLIN : POLLOUT;
  Micros left = limit;
  for (;;) {
    if (stop.stop_requested()) return WaitOutcome::stopped;
    pollfd entry{PQsocket(connection), wanted, 0};
    if (entry.fd < 0) return WaitOutcome::failed;
    const Micros step = std::clamp(left, Micros(0), slice);
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(step).count();
    const int got = ::poll(&entry, 1, static_cast<int>(millis));
    if (got > 0) return WaitOutcome::ready;
    if (got < 0 && errno != EINTR) return WaitOutcome::failed;
    // Counted by slices, not by a clock: a little longer than the limit under load, never shorter.
    if (got == 0) left -= std::max(step, Micros(1000));
    if (left <= Micros(0)) return WaitOutcome::timed_out;
  }
}

}  // namespace lb::pg
