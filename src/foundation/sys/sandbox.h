// Sandbox: a set of fresh Linux namespaces (network with loopback only, mount, pid, ipc, uts) in
// which restored services run as an unprivileged user with a cleared environment, memory and CPU
// limits, and no capability. Everything inside dies with Lifeboat, also on SIGKILL; what a killed
// Lifeboat leaves (folder, cgroup) is removed by sweep_sandboxes() at the next start.
//
// Inside, the host's socket folders (/run, /var/run, /tmp) are replaced by empty ones; `visible`
// folders stay at the same path. Unix sockets below `visible` folders are how the outside reaches
// the inside. Root: real user change. Not root: an unprivileged user namespace does the same where
// allowed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/sys/files.h"
#include "foundation/sys/http.h"
#include "foundation/sys/process.h"

namespace lb {

struct SandboxSpec {
  std::string folder;  // 0700, made by the caller, owned by the sandbox; a marker lies in it
  std::vector<std::string> visible;  // folders that stay visible and writable inside
  std::vector<std::string>
      readable;                    // folders that stay visible, read-only, even below a hidden one
  UserId user;                     // who runs inside; never 0
  std::uint64_t memory_bytes = 0;  // 0: no limit
  double cpus = 0;                 // 0: no limit
};

struct BlockedAttempts {
  std::uint64_t count = 0;                // outbound packets or connects that found no way out
  std::vector<std::string> destinations;  // "10.1.2.3:443 tcp", distinct, at most 100
  std::string method;                     // how it was counted, for the report
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;  // stops everything
  // Runs inside. Command::user is ignored (the spec's user is used); environment is exactly as
  // given.
  virtual Result<std::unique_ptr<Child>> start(const Command& command) = 0;
  virtual Result<Finished> run(const Command& command, Micros limit, std::stop_token stop) = 0;
  // An Http whose connections come from inside the sandbox's network (its loopback).
  virtual std::unique_ptr<Http> http() = 0;
  virtual Result<BlockedAttempts> blocked() = 0;
  // What isolation is really in force ("network namespace, ...; memory limit 2 GiB (cgroup v1)"),
  // and what is missing, for the report. Never claims what was not applied.
  virtual std::vector<std::string> isolation() const = 0;
  // Kills all processes inside and releases the namespaces and the cgroup. Idempotent.
  virtual Status stop() = 0;
};

class Sandboxes {
 public:
  virtual ~Sandboxes() = default;
  // unsupported with the reason and hint when the kernel or privileges do not allow isolation:
  // never a silent fallback to no isolation.
  virtual Result<std::unique_ptr<Sandbox>> create(const SandboxSpec& spec) = 0;
  // The user restored services run as: the owner of the caller when not root; else `preferred` if
  // it exists (for example "postgres"), else "nobody".
  virtual Result<UserId> unprivileged_user(const std::string& preferred) = 0;
  // Removes what killed runs left below `root` (folders with a marker whose owner process is gone).
  // Returns the folders removed.
  virtual Result<std::vector<std::string>> sweep(const std::string& root) = 0;
};

std::unique_ptr<Sandboxes> real_sandboxes(Files& files);

// Makes root/name (0755) with the marker of this process already in it when it gets that name: a
// kill at any moment leaves only what sweep() removes. `root` must exist.
Result<std::string> claim_sandbox_folder(Files& files, const std::string& root,
                                         const std::string& name);
// Removes such a folder, its marker last: a kill meanwhile leaves it for sweep().
Status remove_sandbox_folder(Files& files, const std::string& folder);

}  // namespace lb
