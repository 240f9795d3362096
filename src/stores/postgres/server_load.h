// ServerLoad: how many connections a server has in use, and which statements take long. Asked over
// an ordinary connection, with nothing that has to be installed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "foundation/base/secret.h"
#include "foundation/base/time.h"

namespace lb::pg {

struct ServerLoad {
  bool full = false;  // it took no connection of this role; the counts are unknown then
  // Without the one that asked. The most are those that any role may have.
  std::uint64_t connections = 0, connections_max = 0;
  std::optional<std::uint64_t> slow;  // statements at work for longer than was asked for
  std::string slow_unknown;           // why, and what to do, when there is no number

  double connections_share() const;
};

// Statements of Lifeboat itself are not counted as slow: a backup takes what it takes.
Result<ServerLoad> read_server_load(const Secret& conninfo, Micros slow_after);

}  // namespace lb::pg
