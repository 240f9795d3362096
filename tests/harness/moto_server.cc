#include "tests/harness/moto_server.h"

#include <signal.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/harness/free_port.h"

namespace lb::test {
namespace {

std::optional<std::string> look_for_it() {
  TempDir folder;
  ToolProcess probe({"/usr/bin/env", "python3", "-c", "import moto.server"}, folder / "log",
                    SIGKILL, RunAs::caller);
  if (probe.wait() != 0) return "moto is not installed (pip install 'moto[server]')";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> MotoServer::missing() {
  static const auto reason = look_for_it();
  return reason;
}

MotoServer& MotoServer::shared() {
  static MotoServer server;
  return server;
}

MotoServer::MotoServer() : port_(free_port()) {
  process_ = std::make_unique<ToolProcess>(
      std::vector<std::string>{"/usr/bin/env", "python3", "-m", "moto.server", "-H", "127.0.0.1",
                               "-p", std::to_string(port_)},
      folder_ / "log", SIGKILL, RunAs::caller);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!answers(port_)) {
    if (!process_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("moto did not start");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

MotoServer::~MotoServer() {
  if (process_) process_->kill_with_children();
}

}  // namespace lb::test
