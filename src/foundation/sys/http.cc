#include "foundation/sys/http.h"

#include "foundation/base/text.h"
#include "foundation/sys/http_probe.h"

namespace lb {

// The plain way, for twins that need no speed.
Result<HttpAnswer> Http::exchange(const HttpRequest& request, ByteView body, Buffer& into) {
  HttpRequest copy = request;
  copy.body.assign(text_of(body));
  auto answer = LB_TRY(send(copy));
  auto bytes = view_of(answer.body);
  into.assign(bytes.begin(), bytes.end());
  answer.body.clear();
  return answer;
}

HttpRequest probe_of(const std::string& host, int port, Micros limit) {
  HttpRequest out;
  out.method = probe_method;
  bool sixth = host.find(':') != std::string::npos;
  out.url = cat("http://", sixth ? "[" : "", host, sixth ? "]" : "", ":", port);
  out.limit = limit;
  return out;
}

bool refused_by_network(const Error& error) {
  bool network = error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout;
  return network && error.native().starts_with("curl ");
}

Result<MailAnswer> Http::deliver(const MailRequest&) {
  return Error(ErrorKind::unsupported, "this network knows no mail");
}

}  // namespace lb
