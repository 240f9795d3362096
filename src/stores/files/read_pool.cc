#include "stores/files/read_pool.h"

#include <algorithm>

namespace lb::files {

namespace {

constexpr std::size_t run_files_max = 64;
constexpr std::uint64_t run_bytes_max = 4 << 20;
constexpr std::uint64_t queue_bytes_max = 1 << 20;

std::uint64_t memory_of(const std::vector<FileJob>& run) {
  std::uint64_t out = 0;
  for (const auto& job : run) out += sizeof(FileJob) + job.path.size() + job.full.size();
  return out;
}

}  // namespace

ReadPool::ReadPool(SaveContext& context, TaskGroup& group, unsigned workers)
    : context_(context), group_(group), queue_(queue_bytes_max) {
  for (unsigned n = 0; n < std::max(1u, workers); ++n) {
    group_.run([this](std::stop_token stop) { return work(stop); });
  }
}

void ReadPool::push(FileJob job) {
  run_bytes_ += job.info.size;
  run_.push_back(std::move(job));
  if (run_.size() >= run_files_max || run_bytes_ >= run_bytes_max) flush();
}

void ReadPool::flush() {
  if (run_.empty()) return;
  auto memory = memory_of(run_);
  // Refused only after a stop, which the caller sees in the group.
  (void)queue_.push(std::move(run_), memory, group_.token());
  run_.clear();
  run_bytes_ = 0;
}

Status ReadPool::finish() {
  flush();
  queue_.close();
  return group_.wait();
}

Status ReadPool::work(std::stop_token stop) {
  FileSaver saver(context_);
  while (auto run = queue_.pop(stop)) {
    for (const auto& job : *run) {
      if (stop.stop_requested()) return {};
      LB_TRY(saver.save(job));
    }
    LB_TRY(saver.flush());
  }
  return {};
}

}  // namespace lb::files
