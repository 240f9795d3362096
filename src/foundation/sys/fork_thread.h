// ForkThread: one thread on which all children are forked. The kernel ties a parent-death signal to
// the thread that forked, not to the process: a child forked on a worker thread would be killed
// when that worker ends. Whoever owns such a child keeps this thread alive. Private to
// foundation/sys.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace lb {

class ForkThread {
 public:
  ForkThread();
  ~ForkThread();
  ForkThread(const ForkThread&) = delete;
  ForkThread& operator=(const ForkThread&) = delete;

  // Runs the act on the thread and waits for its end. Calls from several threads take turns.
  void call(const std::function<void()>& act);

 private:
  void serve(std::stop_token stop);

  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  const std::function<void()>* act_ = nullptr;
  std::jthread thread_;
};

}  // namespace lb
