// LocalSocket: messages between programs of one user on one machine, over a Unix socket. A message
// is bytes with their length before them. Every wait has a limit. Both sides learn from the kernel
// who the other is: whoever is neither the same user nor root is turned away. Used by the clients
// of the agent (app/cli) and by the agent itself.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "foundation/sys/descriptor.h"

namespace lb {

class LocalSocket {  // one thread
 public:
  explicit LocalSocket(Descriptor connection) : connection_(std::move(connection)) {}

  // timeout; unavailable when the other side is gone.
  Status send(ByteView message, Micros limit);
  Result<Buffer> receive(std::uint64_t bytes_max, Micros limit);

 private:
  Descriptor connection_;
};

// not_found when nobody listens at `path`; denied when another user does.
Result<std::unique_ptr<LocalSocket>> connect_local(const std::string& path, Micros limit);

// The listening end: one a path, for as long as it lives, also across programs. Thread-safe.
class LocalListener {
 public:
  LocalListener(std::string path, Descriptor lock, Descriptor socket)
      : path_(std::move(path)), lock_(std::move(lock)), socket_(std::move(socket)) {}
  ~LocalListener();
  LocalListener(const LocalListener&) = delete;
  LocalListener& operator=(const LocalListener&) = delete;

  // The next who may come in; null when nobody came before the limit or a stop.
  Result<std::unique_ptr<LocalSocket>> accept(Micros limit, const std::stop_token& stop);

 private:
  std::string path_;
  Descriptor lock_, socket_;
};

// Makes the socket (mode 0600) in an existing folder; one that a dead program left is replaced.
// conflict when somebody listens there.
Result<std::unique_ptr<LocalListener>> listen_local(const std::string& path);

}  // namespace lb
