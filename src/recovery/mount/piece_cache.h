// PieceCache: pieces of content used last or soon, of all files of a mount,
// bounded in bytes. A piece is loaded by one thread at a time; others wait for
// it. What could not be loaded is not kept, so that the next reader tries
// again. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "foundation/base/bytes.h"

namespace lb::mount {

// Shared with readers that outlive its place in the cache.
using SharedBytes = std::shared_ptr<const Buffer>;

struct PieceKey {
  std::uint64_t table = 0, row = 0, piece = 0;
  auto operator<=>(const PieceKey&) const = default;
};

class PieceCache {
 public:
  explicit PieceCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // The piece, loaded on this thread unless it is there or another thread is
  // loading it.
  Result<SharedBytes> get(const PieceKey& key, const std::function<Result<Buffer>()>& load);

  // For reading ahead. reserve: it shall come; false when it is there or will
  // be. start: this thread loads it now and owes put or give_up; false when a
  // reader did not wait for that and loads it itself.
  bool reserve(const PieceKey& key);
  bool start(const PieceKey& key);
  void put(const PieceKey& key, Buffer bytes);
  void give_up(const PieceKey& key);

  std::uint64_t bytes() const;
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  enum class State { reserved, loading, ready };
  struct Entry {
    State state = State::reserved;
    SharedBytes bytes;
    std::list<PieceKey>::iterator place;  // in recent_, when ready
  };
  SharedBytes keep(const PieceKey& key, Buffer bytes);

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<PieceKey, Entry> entries_;
  std::list<PieceKey> recent_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lb::mount
