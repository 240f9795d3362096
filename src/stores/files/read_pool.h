// ReadPool: threads that save files. They take runs of small files or one large file at a time, so
// that many small files cost few hand-overs and several large files are read side by side. One
// large file is one stream: the repository's own threads share out the work on its chunks.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "stores/files/file_saver.h"

namespace lb::files {

class ReadPool {
 public:
  // `halt` is asked to stop when a thread fails; context.stop is its token.
  ReadPool(SaveContext& context, std::stop_source& halt, unsigned workers);
  ~ReadPool();  // without finish(): stops
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void push(FileJob job);  // waits while the queue is full; after a failure the job is dropped
  void flush();            // what was pushed so far is on its way
  Status finish();         // waits for all; the first failure
  std::optional<Error> failure() const;

 private:
  using Run = std::vector<FileJob>;
  void work();
  Status work_runs();
  std::optional<Run> take();
  void fail(Error error);

  SaveContext& context_;
  std::stop_source& halt_;
  Run run_;
  std::uint64_t run_bytes_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::deque<Run> queue_;
  bool closed_ = false;
  std::optional<Error> failure_;
  const std::size_t queue_max_;
  std::vector<std::jthread> threads_;
};

}  // namespace lb::files
