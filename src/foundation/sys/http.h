// Http: one request, one answer, over libcurl. No redirects followed unless said; body bounded;
// a time limit always. Real and scripted twins. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace lb {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Micros limit = Seconds(30);       // whole request
  std::size_t body_max = 16 << 20;  // of the answer; more is ErrorKind::invalid
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Micros took{0};
};

class Http {
 public:
  virtual ~Http() = default;
  // Errors: unavailable (no connection), timeout, invalid (bad URL, body too large).
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

std::unique_ptr<Http> real_http();

}  // namespace lb
