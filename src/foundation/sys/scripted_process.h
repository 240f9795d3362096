// ScriptedProcesses: the simulated twin of Processes. A function given by the test answers every
// command; what was asked is kept. Thread-safe when the answer is.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "foundation/sys/process.h"

namespace lb {

class ScriptedProcesses final : public Processes {
 public:
  // nullopt: the program runs until it is signalled (and run() ends with ErrorKind::timeout).
  using Answer = std::function<Result<std::optional<Finished>>(const Command&)>;
  explicit ScriptedProcesses(Answer answer);

  Result<Finished> run(const Command& command, Micros limit, std::stop_token stop) override;
  Result<std::unique_ptr<Child>> start(const Command& command) override;
  std::vector<Command> commands() const;

 private:
  Result<std::optional<Finished>> ask(const Command& command);

  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<Command> commands_;
};

}  // namespace lb
