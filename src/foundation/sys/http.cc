#include "foundation/sys/http.h"

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

Result<MailAnswer> Http::deliver(const MailRequest&) {
  return Error(ErrorKind::unsupported, "this network knows no mail");
}

}  // namespace lb
