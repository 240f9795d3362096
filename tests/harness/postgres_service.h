// PostgresService: what a service manager is to a server: starts and stops it for whoever asks by a
// file, also for a process that is killed right after asking. The server belongs to the test and
// goes with it. From its making to end() nobody else starts or stops the server.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/harness/postgres_server.h"

namespace lb::test {

class PostgresService {
 public:
  // The server is down; it is started. Its owner outlives this.
  explicit PostgresService(PostgresServer& server)
      : folder_(server.folder()),
        thread_([this, &server](const std::stop_token& stop) { serve(server, stop); }) {}

  // "up" or "down"; returns when it is so.
  void want(const std::string& state) const {
    write("want", state);
    while (read("is") != state) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // The same as a command of a shell.
  std::string command(const std::string& state) const {
    auto wanted = folder_ + "/want", is = folder_ + "/is";
    return "echo " + state + " > " + wanted + ".sh && mv " + wanted + ".sh " + wanted +
           " && while [ \"$(cat " + is + ")\" != " + state + " ]; do sleep 0.02; done";
  }
  // The server is down then.
  void end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::string read(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name);
    std::string text;
    in >> text;
    return text;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name + ".tmp") << text;
    std::filesystem::rename(folder_ + "/" + name + ".tmp", folder_ + "/" + name);
  }
  void serve(PostgresServer& server, const std::stop_token& stop) const {
    server.start_again();
    write("is", "up");
    while (!stop.stop_requested()) {
      auto wanted = read("want");
      if (wanted == "up" && !server.running()) server.start_again();
      if (wanted == "down" && server.running()) server.stop();
      write("is", server.running() ? "up" : "down");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    server.stop();
  }

  std::string folder_;
  std::jthread thread_;
};

}  // namespace lb::test
