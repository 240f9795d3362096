#include "foundation/sys/scripted_process.h"

#include <condition_variable>

#include "foundation/base/text.h"

namespace lb {

namespace {

class ScriptedChild final : public Child {
 public:
  ScriptedChild(int number, std::optional<Finished> finished)
      : pid_(number), finished_(std::move(finished)) {}

  int pid() const override { return pid_; }

  Result<std::optional<Finished>> poll() override {
    std::lock_guard lock(mutex_);
    return finished_;
  }

  Result<Finished> wait(std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    if (!ended_.wait(lock, stop, [this] { return finished_.has_value(); })) {
      return Error(ErrorKind::cancelled, "stopped while a program ran");
    }
    return *finished_;
  }

  Status signal(int number) override {
    std::lock_guard lock(mutex_);
    if (finished_) return Error(ErrorKind::not_found, cat("process ", pid_, " has ended"));
    finished_ = Finished{.exit_code = -1, .signal = number, .output = {}, .errors = {}};
    ended_.notify_all();
    return {};
  }

 private:
  int pid_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::optional<Finished> finished_;
};

}  // namespace

ScriptedProcesses::ScriptedProcesses(Answer answer) : answer_(std::move(answer)) {}

Result<std::optional<Finished>> ScriptedProcesses::ask(const Command& command) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back(command);
  }
  return answer_(command);
}

Result<Finished> ScriptedProcesses::run(const Command& command, Micros limit,
                                        std::stop_token stop) {
  if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped before a program ran");
  auto finished = LB_TRY(ask(command));
  if (finished) return std::move(*finished);
  return Error(ErrorKind::timeout,
               cat(command.argv.at(0), " did not end within ", human_duration(limit)));
}

Result<std::unique_ptr<Child>> ScriptedProcesses::start(const Command& command) {
  auto finished = LB_TRY(ask(command));
  std::lock_guard lock(mutex_);
  int number = 1000 + static_cast<int>(commands_.size());
  return std::unique_ptr<Child>(std::make_unique<ScriptedChild>(number, std::move(finished)));
}

std::vector<Command> ScriptedProcesses::commands() const {
  std::lock_guard lock(mutex_);
  return commands_;
}

}  // namespace lb
