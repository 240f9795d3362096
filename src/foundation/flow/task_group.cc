#include "foundation/flow/task_group.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include "foundation/base/text.h"

namespace lb {

TaskGroup::TaskGroup(std::stop_token outer) : forward_(std::move(outer), Forward{source_}) {}

TaskGroup::~TaskGroup() {
  stop();
  threads_.with([](auto& threads) { threads.clear(); });
}

void TaskGroup::run(std::function<Status(std::stop_token)> task) {
  auto body = [this, task = std::move(task)] {
    try {
      auto status = task(source_.get_token());
      if (!status.ok()) fail(std::move(status).take_error());
    } catch (const std::bad_alloc&) {
      throw;  // crash-only: a process out of memory ends, and what is committed stays valid
    } catch (const std::exception& problem) {
      fail(Error(ErrorKind::internal, cat("a task threw: ", problem.what())));
    }
  };
  threads_.with([&](auto& threads) { threads.emplace_back(std::move(body)); });
}

void TaskGroup::fail(Error error) {
  first_.with([&](auto& first) {
    if (!first) first = std::move(error);
  });
  stop();
}

std::optional<Error> TaskGroup::failure() {
  return first_.with([](auto& first) { return first; });
}

Status TaskGroup::wait() {
  std::vector<std::jthread> threads;
  threads_.with([&](auto& running) { threads.swap(running); });
  for (auto& thread : threads) thread.join();
  if (auto error = failure()) return *error;
  if (source_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  return {};
}

Status for_each_parallel(std::size_t count, unsigned threads, std::stop_token stop,
                         const std::function<Status(std::size_t)>& work) {
  TaskGroup group(std::move(stop));
  std::atomic<std::size_t> next{0};
  auto body = [&](const std::stop_token& token) -> Status {
    while (!token.stop_requested()) {
      auto mine = next.fetch_add(1);
      if (mine >= count) return {};
      LB_TRY(work(mine));
    }
    return {};
  };
  auto wanted = std::min<std::size_t>(std::max(threads, 1u), count);
  for (std::size_t i = 0; i < wanted; ++i) group.run(body);
  return group.wait();
}

}  // namespace lb
