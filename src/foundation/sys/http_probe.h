// A probe: a connection that is opened and closed again without a byte sent. Does anything listen
// there? It is an HttpRequest, so that it goes through the same network, a sandbox's too. An
// answer has status 0; refusals are the errors of any request, with curl's code in native().
#pragma once

#include <string>
#include <string_view>

#include "foundation/sys/http.h"

namespace lb {

// The method that asks for no more than the connection; no proxy is ever used.
inline constexpr std::string_view probe_method = "CONNECT";

// `host`: a name or an address, IPv6 without brackets.
HttpRequest probe_of(const std::string& host, int port, Micros limit);

// The far side, or the way to it, refused: true for failures of the network, not of the request or
// of what carries it.
bool refused_by_network(const Error& error);

}  // namespace lb
