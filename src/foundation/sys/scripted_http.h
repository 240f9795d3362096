// ScriptedHttp: the simulated twin of Http. A function given by the test answers every request;
// what was asked is kept. Thread-safe when the answer is.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "foundation/sys/http.h"

namespace lb {

class ScriptedHttp final : public Http {
 public:
  using Answer = std::function<Result<HttpAnswer>(const HttpRequest&)>;
  explicit ScriptedHttp(Answer answer);

  Result<HttpAnswer> send(const HttpRequest& request) override;
  std::vector<HttpRequest> requests() const;
  using MailScript = std::function<Result<MailAnswer>(const MailRequest&)>;
  void answer_mail(MailScript script) { mail_ = std::move(script); }
  Result<MailAnswer> deliver(const MailRequest& request) override;

 private:
  Answer answer_;
  MailScript mail_;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
};

}  // namespace lb
