// Starts a restored data directory on its own socket, asks, and stops it. Included by tests alone.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {

// The output of psql, which fails until the server accepts connections; so it is asked again as
// long as the server runs, of the major version of `binaries`. `also` gets the folder of the socket
// while the server is up.
inline std::string ask_restored(const std::string& folder, const std::string& sql,
                                const std::function<void(const std::string&)>& also = {},
                                const std::string& binaries = PostgresServer::binaries()) {
  const auto socket = folder + ".socket";
  std::filesystem::create_directories(socket);
  give_to_server_user(socket);
  const auto log = folder + ".log";
  ToolProcess postmaster({binaries + "/postgres", "-D", folder, "-k", socket, "-c",
                          "listen_addresses=", "-c", "port=5432"},
                         log, SIGQUIT);
  const auto command = PostgresServer::binaries() + "/psql -h " + socket +
                       " -p 5432 -U postgres -d postgres -Atc \"" + sql + "\" 2>/dev/null";
  std::string answer;
  for (bool answered = false; !answered;) {
    if (!postmaster.running()) throw std::runtime_error("no server: " + read_text(log));
    auto* pipe = ::popen(command.c_str(), "r");
    char text[512] = {};
    const auto size = ::fread(text, 1, sizeof text - 1, pipe);
    answered = ::pclose(pipe) == 0;
    answer = std::string(text, size);
    if (!answered) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  if (also) also(socket);
  postmaster.signal(SIGINT);
  postmaster.wait();
  return answer;
}

}  // namespace lb::test
