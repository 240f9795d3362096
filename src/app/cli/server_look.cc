#include "app/cli/server_look.h"

#include <map>

#include "foundation/base/text.h"
#include "stores/postgres/database_rescue.h"

namespace lb::cli {

namespace {

constexpr Micros question_limit = std::chrono::seconds(30);
constexpr const char* default_port = "5432";

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

// Empty when the address cannot be read.
std::string host_port_of(const Secret& conninfo) {
  auto known = pg::connection_environment(conninfo);
  if (!known.ok()) return {};
  std::map<std::string, std::string> parts(known->begin(), known->end());
  // A folder of sockets is a place of its own: several servers of a machine may have one port.
  auto host = parts["PGHOST"].empty() ? parts["PGHOSTADDR"] : parts["PGHOST"];
  if (!host.starts_with('/')) host = lower(host);
  auto port = parts["PGPORT"].empty() ? std::string(default_port) : parts["PGPORT"];
  return cat(is_loopback(host) ? std::string("localhost") : host, ":", port);
}

}  // namespace

ServerLook ServerLook::at(const Secret& conninfo) {
  ServerLook out;
  out.host_port_ = host_port_of(conninfo);
  pg::ConnectOptions options;
  options.application_name = "lifeboat look";
  options.statement_limit = question_limit;
  auto connection = pg::Connection::open(conninfo, options);
  if (!connection.ok()) {
    // Only a server says why in a code of its own.
    out.refused_ = !connection.error().native().empty();
    return out;
  }
  auto place = pg::server_place(**connection);
  out.refused_ = !place.ok();
  if (place.ok()) out.place_ = std::move(place).take();
  return out;
}

bool ServerLook::same_server(const ServerLook& other) const {
  if (place_ && other.place_) return place_->same_server(*other.place_);
  if (!refused_ && !other.refused_) return false;
  return !host_port_.empty() && host_port_ == other.host_port_;
}

}  // namespace lb::cli
