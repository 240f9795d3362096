// TestWorld: the real clock, chance, files and processes for tests of this folder; no sandboxes.
// For tests only.
#pragma once

#include "foundation/sys/world.h"

namespace lb::pg {

struct NoSandboxes final : Sandboxes {
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override { return none(); }
  Result<UserId> unprivileged_user(const std::string&) override { return none(); }
  Result<std::vector<std::string>> sweep(const std::string&) override { return none(); }
  static Error none() { return Error(ErrorKind::unsupported, "no sandboxes in this test"); }
};

struct TestWorld {
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Processes> processes = real_processes();
  NoSandboxes sandboxes;
  World world{*clock, *random, *files, *http, *processes, sandboxes};
};

}  // namespace lb::pg
