// A tiny HTTP server on a loopback port of its own, for tests only: every request gets the answer
// the test gives for it, byte for byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "foundation/sys/descriptor.h"

namespace lb {

class TestServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  // Keeping: a connection serves requests until the client closes it, or the answer is "hang up".
  enum class After { close, keep };

  explicit TestServer(Answer answer, After after = After::close)
      : answer_(std::move(answer)), after_(after) {
    listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), generic, size) != 0) return;
    if (::listen(listener_.get(), 16) != 0) return;
    ::getsockname(listener_.get(), generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~TestServer() {
    thread_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  int connections() const { return connections_; }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Descriptor peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) return;
      ++connections_;
      if (after_ == After::keep) {
        serve_on(peer, stop);
        continue;
      }
      std::string request(65536, '\0');
      auto got = ::recv(peer.get(), request.data(), request.size(), 0);
      if (got <= 0) continue;
      request.resize(static_cast<std::size_t>(got));
      auto answer = answer_(request);
      if (answer == "silence") {  // hold the connection until the client gives up
        pollfd gone{peer.get(), POLLIN | POLLRDHUP, 0};
        ::poll(&gone, 1, -1);
        continue;
      }
      ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(peer.get(), SHUT_WR);
      char rest[1024];
      while (::recv(peer.get(), rest, sizeof rest, 0) > 0) {
      }
    }
  }

  void serve_on(const Descriptor& peer, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{peer.get(), POLLIN | POLLRDHUP, 0};
      if (::poll(&ready, 1, 20) == 0) continue;
      std::string request(65536, '\0');
      auto got = ::recv(peer.get(), request.data(), request.size(), 0);
      if (got <= 0) return;
      request.resize(static_cast<std::size_t>(got));
      auto answer = answer_(request);
      if (answer == "hang up") return;
      ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  Answer answer_;
  const After after_;
  std::atomic<int> connections_{0};
  Descriptor listener_;
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace lb
