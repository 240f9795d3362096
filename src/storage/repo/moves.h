// Moves: all that repackings say, taken together: what stands for the chunks of a pack that was
// given up. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "storage/repo/moved.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

// Where a chunk was moved to.
struct MovedPlace {
  std::string pack;
  std::uint32_t frame = 0;
  std::uint64_t frame_offset = 0;
  std::uint32_t frame_size = 0;
  std::uint32_t offset = 0;        // in the opened frame
  Extent of(Extent extent) const;  // the extent there
};

// For one pack of one snapshot: who stands for it.
struct Instead {
  const Moved* by = nullptr;
  const MovedPack* from = nullptr;
  std::vector<const StoredPack*> packs() const;                 // where its frames are
  std::optional<MovedPlace> place(const Extent& extent) const;  // of what it names in the old pack
};

class Moves {
 public:
  using IsThere = std::function<bool(const StoredPack&)>;

  void add(std::shared_ptr<const Moved> moved);
  void remove(const std::string& session) { newest_first_.erase(session); }
  bool empty() const { return newest_first_.empty(); }
  // The newest that looked at the snapshot and moved the pack. With `there`: of those only whose
  // packs are there. Nothing: the snapshot needs the pack itself.
  std::optional<Instead> instead_of(const std::string& pack, const std::string& session,
                                    const VerdictMark& mark, const IsThere& there = {}) const;
  // The packs that a snapshot needs, each with its size and digest.
  std::vector<StoredPack> needed(const Verdict& snapshot, const VerdictMark& mark,
                                 const IsThere& there = {}) const;
  // For reading, where the chunk ids prove what is found: wherever anyone moved the chunk, the
  // newest first.
  std::vector<MovedPlace> places(const std::string& pack, const Extent& extent) const;
  // Newest first.
  const std::map<std::string, std::shared_ptr<const Moved>, std::greater<>>& all() const {
    return newest_first_;
  }

 private:
  std::map<std::string, std::shared_ptr<const Moved>, std::greater<>> newest_first_;
};

}  // namespace lb::repo
