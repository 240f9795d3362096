#include "foundation/sys/fork_thread.h"

namespace lb {

ForkThread::ForkThread() : thread_([this](std::stop_token stop) { serve(std::move(stop)); }) {}

ForkThread::~ForkThread() = default;

void ForkThread::call(const std::function<void()>& act) {
  std::lock_guard turn(turn_);
  std::unique_lock lock(mutex_);
  act_ = &act;
  changed_.notify_all();
  changed_.wait(lock, [this] { return act_ == nullptr; });
}

void ForkThread::serve(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return act_ != nullptr; })) {
    (*act_)();
    act_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace lb
