// TaskGroup: threads that end together. The first error (or an exception, which becomes
// ErrorKind::internal) asks all others to stop and is what wait() returns. The destructor stops and
// joins. Run, fail and wait may be called from any thread; wait from one at a time.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/flow/guarded.h"

namespace lb {

class TaskGroup {
 public:
  // Stops when `outer` does.
  explicit TaskGroup(std::stop_token outer = {});
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts a thread. Not after wait().
  void run(std::function<Status(std::stop_token)> task);
  // As if a task had returned this error.
  void fail(Error error);
  void stop() { source_.request_stop(); }
  std::stop_token token() const { return source_.get_token(); }
  std::optional<Error> failure();
  // Joins every task. The first error, or cancelled when the group was stopped without one.
  Status wait();

 private:
  struct Forward {
    std::stop_source& source;
    void operator()() const { source.request_stop(); }
  };

  std::stop_source source_;
  std::stop_callback<Forward> forward_;
  Guarded<std::optional<Error>> first_;
  Guarded<std::vector<std::jthread>> threads_;
};

// Runs `work(i)` for i in [0, count) on `threads` threads, in order of i as far as they start.
// The first error stops the rest; a stop request gives cancelled.
Status for_each_parallel(std::size_t count, unsigned threads, std::stop_token stop,
                         const std::function<Status(std::size_t)>& work);

}  // namespace lb
