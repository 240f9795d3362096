// TestWorld: real files, a clock and chance of the test's own, and nothing else of the world. For
// the tests of this folder only.
#pragma once

#include "foundation/base/assert.h"
#include "foundation/sys/test_folder.h"
#include "foundation/sys/world.h"

namespace lb::state {

struct NoHttp final : Http {
  Result<HttpAnswer> send(const HttpRequest&) override {
    return Error(ErrorKind::unavailable, "no network in this test");
  }
};

struct NoSandboxes final : Sandboxes {
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override { return none(); }
  Result<UserId> unprivileged_user(const std::string&) override { return none(); }
  Result<std::vector<std::string>> sweep(const std::string&) override { return none(); }
  static Error none() { return Error(ErrorKind::unsupported, "no sandboxes in this test"); }
};

// The real ones keep a thread, and tests that kill a fork of themselves want none.
struct NoProcesses final : Processes {
  Result<Finished> run(const Command&, Micros, std::stop_token) override { return none(); }
  Result<std::unique_ptr<Child>> start(const Command&) override { return none(); }
  static Error none() { return Error(ErrorKind::unsupported, "no processes in this test"); }
};

struct TestWorld {
  TestFolder folder;
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  NoProcesses processes;
  NoHttp http;
  NoSandboxes sandboxes;
  World world{*clock, *random, *files, http, processes, sandboxes};
  std::string path = folder / "state/journal.sqlite";
};

}  // namespace lb::state
