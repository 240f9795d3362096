// Http: one request, one answer, over libcurl. No redirects followed; body bounded; a time limit
// always; certificates always checked. Mail goes the same way. Real and scripted twins.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "foundation/sys/mail.h"

namespace lb {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Micros limit = Seconds(30);       // whole request; of exchange: without a byte moving
  std::size_t body_max = 16 << 20;  // of the answer; more is ErrorKind::invalid
  std::string ca_file;              // certificates to trust, PEM; empty: the system's
  // Of exchange: memory of the caller for the body of a good answer of exactly this size. Any
  // other body goes where it would go without.
  MutableBytes room = {};
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::size_t in_room = 0;  // bytes of the body that lie in the request's room
  Micros took{0};
};

class Http {
 public:
  virtual ~Http() = default;
  // Errors: unavailable (no connection), timeout, invalid (bad URL, body too large).
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
  // For many large bodies to one server: `body` goes out as it is (that of the request is not
  // used), the answer's body replaces `into` (that of the answer stays empty) or fills the room of
  // the request, and the connection is kept for the next exchange. A kept connection that turns out
  // dead is replaced and the request sent again, so it may arrive twice. native() "curl N" tells
  // where a failure happened.
  virtual Result<HttpAnswer> exchange(const HttpRequest& request, ByteView body, Buffer& into);
  // One mail; see mail.h. Twins that know none answer unsupported.
  virtual Result<MailAnswer> deliver(const MailRequest& request);
};

// The request cannot have reached the server: no address, no connection, no trusted certificate.
bool never_sent(const Error& error);

std::unique_ptr<Http> real_http();

}  // namespace lb
