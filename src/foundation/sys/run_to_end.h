// Waiting for children: until they end, a limit passes or a stop is requested, while their output
// is collected. The same for plain children and those inside a sandbox. Private to foundation/sys.
#pragma once

#include <stop_token>

#include "foundation/sys/exec_child.h"
#include "foundation/sys/process.h"

namespace lb {

// A descriptor that becomes readable when stop is requested.
class StopSignal {
 public:
  explicit StopSignal(std::stop_token stop);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  int get() const;

 private:
  struct Wake;
  std::unique_ptr<Wake> wake_;
};

// `ended` becomes readable when the child has ended.
Result<Finished> wait_for_end(Child& child, int ended, const std::stop_token& stop);
Result<Finished> run_to_end(Child& child, int ended, ChildStreams streams, const Command& command,
                            Micros limit, const std::stop_token& stop);

}  // namespace lb
