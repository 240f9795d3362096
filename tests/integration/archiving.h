// For tests in which a server archives through the program: the program as the server's user runs
// it, and waiting.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/harness/lifeboat_run.h"

namespace lb::test {

// Throws after three minutes.
template <typename Condition>
void wait_for(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("waited in vain");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// A script in `folder` that runs the program as the server's user, which is who archives.
inline std::string as_server_user(const TempDir& folder, const std::string& binary) {
  namespace fs = std::filesystem;
  if (::geteuid() != 0) return binary;
  auto path = folder / "lifeboat";
  write_text(path, std::string("#!/bin/sh\nexec setpriv --reuid postgres --regid postgres "
                               "--clear-groups ") +
                       binary + " \"$@\"\n");
  fs::permissions(folder.path(), fs::perms(0755));
  fs::permissions(path, fs::perms(0755));
  return path;
}

}  // namespace lb::test
