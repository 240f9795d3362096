// WebStandIn: what a test puts in the place of the services that a plan names: a Slack hook, a
// status page, an application with its API. Answers on a loopback port, and remembers what was
// asked of it in the order of arrival.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "foundation/sys/test_server.h"

namespace lb::test {

struct WebRequest {
  std::string method, path, body;
};

struct WebAnswer {
  int status = 200;
  std::string body = "{}";
  std::string type = "application/json";
};

class WebStandIn {
 public:
  // Called by the thread of the server.
  using Answering = std::function<WebAnswer(const WebRequest&)>;
  explicit WebStandIn(Answering answering = nullptr)
      : answering_(std::move(answering)),
        server_([this](const auto& text) { return take(text); }) {}

  std::string url(const std::string& path) const { return server_.url(path); }
  std::vector<WebRequest> all() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // How many came to `path`, whose body has `part`.
  std::size_t count(const std::string& path, const std::string& part = "") {
    std::size_t out = 0;
    for (const auto& one : all()) {
      if (one.path == path && one.body.find(part) != std::string::npos) ++out;
    }
    return out;
  }
  // For messages.
  std::string told() {
    std::string out;
    for (const auto& one : all()) out += cat(one.method, " ", one.path, " ", one.body, "\n");
    return out;
  }

 private:
  std::string take(const std::string& text) {
    auto words = split(text.substr(0, text.find("\r\n")), ' ');
    auto body = text.find("\r\n\r\n");
    WebRequest request{words.empty() ? "" : words[0], words.size() < 2 ? "" : words[1],
                       body == std::string::npos ? "" : text.substr(body + 4)};
    auto answer = answering_ ? answering_(request) : WebAnswer{};
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    return cat("HTTP/1.1 ", answer.status, " OK\r\nContent-Type: ", answer.type, "\r\n",
               "Content-Length: ", answer.body.size(), "\r\nConnection: close\r\n\r\n",
               request.method == "HEAD" ? "" : answer.body);
  }

  std::mutex mutex_;
  std::vector<WebRequest> requests_;
  Answering answering_;
  TestServer server_;
};

}  // namespace lb::test
