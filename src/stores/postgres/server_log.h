// ServerLog: what a server still has of its log, and what it says of its archive. Asked over an
// ordinary connection; what the role may not see stays unknown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/base/time.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct ServerSlot {
  std::string name, state;  // "reserved", "extended", "unreserved", "lost"
  bool active = false;
  std::uint64_t kept_bytes = 0;  // log the server keeps for it
};

struct ServerLog {
  std::string system_identifier, data_folder;
  std::uint64_t segment_bytes = 16 << 20;
  std::string current;                               // segment that is being written
  std::optional<std::vector<std::string>> segments;  // complete ones it has; nullopt: may not see
  std::uint64_t wal_bytes = 0;                       // of all of them; 0: unknown
  bool archives = false;                             // archive_mode is on
  std::uint64_t failures = 0;                        // of archive_command
  std::optional<Timestamp> last_failed, last_archived;
  std::vector<ServerSlot> slots;  // of its physical replication
};

// unavailable when the server is not there; unsupported of one that recovers.
Result<ServerLog> read_server_log(const Secret& conninfo);

}  // namespace lb::pg
