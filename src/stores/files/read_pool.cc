#include "stores/files/read_pool.h"

#include <algorithm>
#include <exception>

namespace lb::files {

namespace {
constexpr std::size_t run_files_max = 64;
constexpr std::uint64_t run_bytes_max = 4 << 20;
}  // namespace

ReadPool::ReadPool(SaveContext& context, std::stop_source& halt, unsigned workers)
    : context_(context), halt_(halt), queue_max_(std::size_t{4} * std::max(1u, workers)) {
  for (unsigned n = 0; n < std::max(1u, workers); ++n) threads_.emplace_back([this] { work(); });
}

ReadPool::~ReadPool() {
  if (threads_.empty()) return;
  halt_.request_stop();
  changed_.notify_all();
}

void ReadPool::push(FileJob job) {
  run_bytes_ += job.info.size;
  run_.push_back(std::move(job));
  if (run_.size() >= run_files_max || run_bytes_ >= run_bytes_max) flush();
}

void ReadPool::flush() {
  if (run_.empty()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, context_.stop, [&] { return queue_.size() < queue_max_; });
  queue_.push_back(std::move(run_));
  run_.clear();
  run_bytes_ = 0;
  changed_.notify_all();
}

Status ReadPool::finish() {
  flush();
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  threads_.clear();  // joins
  if (failure_) return *failure_;
  return {};
}

std::optional<Error> ReadPool::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void ReadPool::work() {
  try {
    auto status = work_runs();
    if (!status.ok()) fail(std::move(status).take_error());
  } catch (const std::exception& problem) {
    fail(Error(ErrorKind::internal, problem.what()));
  } catch (...) {
    fail(Error(ErrorKind::internal, "unknown exception in a reading thread"));
  }
}

Status ReadPool::work_runs() {
  FileSaver saver(context_);
  for (;;) {
    auto run = take();
    if (!run) return {};
    for (const auto& job : *run) {
      if (context_.stop.stop_requested()) return {};
      LB_TRY(saver.save(job));
    }
  }
}

std::optional<ReadPool::Run> ReadPool::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, context_.stop, [&] { return !queue_.empty() || closed_; });
  if (queue_.empty() || context_.stop.stop_requested()) return std::nullopt;
  auto run = std::move(queue_.front());
  queue_.pop_front();
  changed_.notify_all();
  return run;
}

void ReadPool::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  halt_.request_stop();
}

}  // namespace lb::files
