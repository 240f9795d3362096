// BlockCache: the rows of table blocks used last, of all tables of a mount,
// bounded in bytes. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "foundation/base/result.h"
#include "storage/repo/types.h"

namespace lb::mount {

// Shared with readers that outlive its place in the cache.
using SharedRows = std::shared_ptr<const std::vector<repo::Row>>;

class BlockCache {
 public:
  explicit BlockCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  using Load = std::function<Result<std::vector<repo::Row>>()>;
  // Two readers of one missing block may both load it; neither waits for the
  // other.
  Result<SharedRows> get(std::uint64_t table, std::size_t block, const Load& load);
  std::uint64_t bytes() const;

 private:
  using Key = std::pair<std::uint64_t, std::size_t>;
  struct Entry {
    Key key;
    SharedRows rows;
    std::uint64_t bytes = 0;
  };
  void keep(Key key, const SharedRows& rows);

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Entry> recent_;
  std::map<Key, std::list<Entry>::iterator> places_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lb::mount
