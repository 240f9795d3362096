// The Sandbox of real_sandboxes(), seen from Lifeboat's side. Private to foundation/sys.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "foundation/sys/sandbox.h"
#include "foundation/sys/sandbox_cgroup.h"
#include "foundation/sys/sandbox_supervisor.h"
#include "foundation/sys/sandbox_wire.h"

namespace lb {

// What the sandbox, its children and its Http share; lives until the last of them is gone.
class SandboxLink {
 public:
  SandboxLink(Files& files, Supervisor supervisor, Descriptor init, SandboxCgroup cgroup);
  ~SandboxLink();

  // One question to the supervisor, one answer. Thread-safe.
  Result<Buffer> ask(ByteView question, std::uint64_t answer_bytes_max, int also = -1);
  Status tell_init(ByteView bytes, const std::vector<int>& descriptors = {});
  // The first process inside says whether it is ready.
  Status await_init();
  Status stop();

  std::uint64_t next_id() { return ++last_id_; }

 private:
  Files& files_;
  std::unique_ptr<RealChild> supervisor_;
  Descriptor requests_, init_;
  SandboxCgroup cgroup_;
  std::atomic<std::uint64_t> last_id_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex stop_mutex_;
};

class RealSandbox final : public Sandbox {
 public:
  RealSandbox(std::shared_ptr<SandboxLink> link, std::vector<std::string> isolation);
  ~RealSandbox() override;
  Result<std::unique_ptr<Child>> start(const Command& command) override;
  Result<Finished> run(const Command& command, Micros limit, std::stop_token stop) override;
  std::unique_ptr<Http> http() override;
  Result<BlockedAttempts> blocked() override;
  std::vector<std::string> isolation() const override { return isolation_; }
  Status stop() override;

 private:
  std::shared_ptr<SandboxLink> link_;  // shared with children and Http, which may outlive this
  std::vector<std::string> isolation_;
};

class SandboxChild;
// Consumes the child's ends of the streams.
Result<std::unique_ptr<SandboxChild>> start_inside(const std::shared_ptr<SandboxLink>& link,
                                                   const Command& command, ChildStreams& streams);
Result<Finished> run_inside(const std::shared_ptr<SandboxLink>& link, const Command& command,
                            Micros limit, const std::stop_token& stop);
Result<std::unique_ptr<Child>> start_inside_logged(const std::shared_ptr<SandboxLink>& link,
                                                   const Command& command);

}  // namespace lb
