// ReadPool: threads that save files. They take runs of small files or one large file at a time, so
// that many small files cost few hand-overs and several large files are read side by side. One
// large file is one stream: the repository's own threads share out the work on its chunks.
#pragma once

#include <vector>

#include "foundation/flow/bounded_queue.h"
#include "foundation/flow/task_group.h"
#include "stores/files/file_saver.h"

namespace lb::files {

class ReadPool {
 public:
  // The threads are the group's: it joins them, and stops all of the backup when one fails.
  ReadPool(SaveContext& context, TaskGroup& group, unsigned workers);

  void push(FileJob job);  // waits while the queue is full; after a failure the job is dropped
  void flush();            // what was pushed so far is on its way
  Status finish();         // waits for all

 private:
  using Run = std::vector<FileJob>;
  Status work(std::stop_token stop);

  SaveContext& context_;
  TaskGroup& group_;
  BoundedQueue<Run> queue_;
  Run run_;
  std::uint64_t run_bytes_ = 0;
};

}  // namespace lb::files
