// MovesFinder: looks up where a chunk was moved, for readers that miss its pack. Reads the verdicts
// of repackings when it is first asked, the newest first and no more than it needs; later again
// what is new, so that a reader that runs for days finds what was moved meanwhile. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/moves.h"

namespace lb::repo {

class MovesFinder {
 public:
  using Good = std::function<bool(const MovedPlace&)>;

  explicit MovesFinder(const Core& core) : core_(core) {}

  // The newest place of the chunk that `good` takes.
  std::optional<MovedPlace> find(const std::string& pack, const Extent& extent, const Good& good);
  // Every place that is known by now.
  std::vector<MovedPlace> known(const std::string& pack, const Extent& extent);

 private:
  std::optional<MovedPlace> find_known(const std::string& pack, const Extent& extent,
                                       const Good& good);
  enum class News { none, other, moves };
  News read(const std::string& key);
  Result<std::shared_ptr<const Moved>> moved_by(const std::string& key);

  const Core& core_;
  std::mutex mutex_;
  std::set<std::string> read_;  // keys of verdicts of any kind
  Moves moves_;
};

}  // namespace lb::repo
