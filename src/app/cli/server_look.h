// ServerLook: which PostgreSQL server an address leads to, so that two addresses are compared by
// the servers behind them and not by their words: aliases, poolers, sockets and other databases of
// one server do not hide it.
#pragma once

#include <optional>
#include <string>

#include "foundation/base/secret.h"
#include "stores/postgres/server_preflight.h"

namespace lb::cli {

class ServerLook {
 public:
  static ServerLook at(const Secret& conninfo);
  // Nothing: it did not let anybody look.
  const std::optional<pg::ServerPlace>& place() const { return place_; }
  // Where a server answers and refuses the login, host and port have to do: it is not taken for
  // another one just because nobody gets in.
  bool same_server(const ServerLook& other) const;

 private:
  std::optional<pg::ServerPlace> place_;
  bool refused_ = false;
  std::string host_port_;
};

}  // namespace lb::cli
