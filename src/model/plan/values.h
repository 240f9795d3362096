// The few value forms of the plan that are the same everywhere: references, comparisons,
// percentages, points in time, HTTP requests. Text in, value or reason out; pure.
#pragma once

#include <string_view>

#include "foundation/base/result.h"
#include "model/plan/plan.h"

namespace lb::plan {

Result<Reference> parse_reference(std::string_view text);  // "env:NAME", "kms:…", or literal text
Result<Comparison> parse_comparison(std::string_view text);  // "0", ">= 1", "recorded", text
Result<double> parse_percent(std::string_view text);         // "10%" → 0.1
Status check_point(std::string_view text);                   // "latest", "before-loss", RFC 3339
Status check_url(std::string_view text);                     // "http://host/…"

struct TcpAddress {
  std::string host;  // "::1" without its brackets
  std::uint16_t port = 0;
};
Result<TcpAddress> parse_tcp(std::string_view text);  // "tcp://host:port"

struct HttpRequest {
  std::string method, path;
};
Result<HttpRequest> parse_request(std::string_view text);  // "GET /health"

}  // namespace lb::plan
