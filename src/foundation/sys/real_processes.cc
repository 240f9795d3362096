#include "foundation/sys/exec_child.h"
#include "foundation/sys/fork_thread.h"
#include "foundation/sys/launch.h"
#include "foundation/sys/process.h"
#include "foundation/sys/run_to_end.h"

namespace lb {

namespace {

class RealProcesses final : public Processes {
 public:
  Result<Finished> run(const Command& command, Micros limit, std::stop_token stop) override {
    LB_TRY(check_command(command));
    auto streams = LB_TRY(captured_streams(command));
    auto child = LB_TRY(launch(forker_, command, streams));
    return run_to_end(*child, child->ended(), std::move(streams), command, limit, stop);
  }

  Result<std::unique_ptr<Child>> start(const Command& command) override {
    LB_TRY(check_command(command));
    auto streams = LB_TRY(logged_streams(command));
    auto child = LB_TRY(launch(forker_, command, streams));
    return std::unique_ptr<Child>(std::move(child));
  }

 private:
  std::shared_ptr<ForkThread> forker_ = std::make_shared<ForkThread>();
};

}  // namespace

std::unique_ptr<Processes> real_processes() { return std::make_unique<RealProcesses>(); }

}  // namespace lb
