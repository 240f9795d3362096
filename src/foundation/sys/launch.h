// Launching a child of this process: fork on the ForkThread, exec from a prepared plan, and the
// Child that watches it. Used by real_processes() and for the supervisors of sandboxes. Private.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>

#include "foundation/sys/exec_child.h"
#include "foundation/sys/fork_thread.h"
#include "foundation/sys/process.h"

namespace lb {

class RealChild final : public Child {
 public:
  RealChild(std::shared_ptr<ForkThread> forker, pid_t number, Descriptor ended);
  ~RealChild() override;

  int pid() const override { return pid_; }
  int ended() const { return ended_.get(); }  // readable when the child has ended
  Result<std::optional<Finished>> poll() override;
  Result<Finished> wait(std::stop_token stop) override;
  Status signal(int number) override;

 private:
  std::shared_ptr<ForkThread> forker_;  // shared: its end would kill the child
  pid_t pid_;
  Descriptor ended_;  // a pidfd
  std::mutex mutex_;
  std::optional<Finished> finished_;
};

// Consumes the child's ends of the streams. Returns when the program runs or could not be run.
Result<std::unique_ptr<RealChild>> launch(const std::shared_ptr<ForkThread>& forker,
                                          const Command& command, ChildStreams& streams);

// 0 or an ExecFailure: blocks until the child has closed its end of the pipe.
std::optional<ExecFailure> read_report(int news);

}  // namespace lb
