// ChunkRuns: the chunks of a running session that no longer fit its memory, in tables that have no
// name any more: they go with the session. Their pack numbers mean something in it alone, so they
// are proven by a key of its own: a table of the cache, put in the place of one before it is
// opened, would lead to other packs. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <mutex>

#include "storage/index/cache.h"

namespace lb::repo {

class ChunkRuns {
 public:
  ChunkRuns(index::CachePlace place, std::size_t entries_max);

  // In memory before a run is written; beyond all numbers once one could not be written (no space):
  // then the session goes on in memory.
  std::size_t entries_max() const { return entries_max_; }

  // Why no more runs are written; nothing while they are.
  std::optional<Error> trouble() const;

  // `give` hands over entries by rising id, about `expected` in all. True when the run is there.
  using Take = std::function<Status(const std::vector<index::Entry>&)>;
  bool add(std::uint64_t expected, const std::function<Status(const Take&)>& give);
  std::optional<index::Place> find(const index::Id& id) const;

 private:
  using Fill = std::function<Status(index::TableWriter&)>;
  Result<std::shared_ptr<const index::Table>> write(std::uint64_t expected, const Fill& fill);
  Status add_run(std::uint64_t expected, const std::function<Status(const Take&)>& give);

  const index::CachePlace place_;  // with the session's seal
  std::atomic<std::size_t> entries_max_;
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;
  std::shared_ptr<const index::Tables> tables_;  // shared with look-ups that began before a change
};

}  // namespace lb::repo
