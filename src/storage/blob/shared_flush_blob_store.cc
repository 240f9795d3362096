#include "storage/blob/shared_flush_blob_store.h"

namespace lb {

Status SharedFlushBlobStore::flush() {
  std::unique_lock lock(mutex_);
  if (!next_) next_ = std::make_shared<Round>();
  const auto round = next_;
  changed_.wait(lock, [&] { return round->done || !running_; });
  if (round->done) return round->outcome;
  // The first who wakes runs it for all.
  running_ = true;
  next_.reset();
  lock.unlock();
  auto outcome = inner_.flush();
  lock.lock();
  round->outcome = outcome;
  round->done = true;
  running_ = false;
  changed_.notify_all();
  return outcome;
}

}  // namespace lb
