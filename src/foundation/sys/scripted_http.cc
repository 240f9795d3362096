#include "foundation/sys/scripted_http.h"

#include "foundation/base/text.h"

namespace lb {

ScriptedHttp::ScriptedHttp(Answer answer) : answer_(std::move(answer)) {}

Result<HttpAnswer> ScriptedHttp::send(const HttpRequest& request) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  auto answer = LB_TRY(answer_(request));
  if (answer.body.size() > request.body_max) {
    return Error(ErrorKind::invalid, cat("the answer is larger than ", request.body_max, " bytes"));
  }
  return answer;
}

std::vector<HttpRequest> ScriptedHttp::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

Result<MailAnswer> ScriptedHttp::deliver(const MailRequest& request) {
  return mail_ ? mail_(request) : Http::deliver(request);
}

}  // namespace lb
