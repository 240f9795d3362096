#include "recovery/mount/block_cache.h"

namespace lb::mount {

namespace {

std::uint64_t memory_of(const std::vector<repo::Row>& rows) {
  std::uint64_t bytes = 0;
  for (const auto& row : rows) {
    bytes += sizeof row + row.key.size() + row.attributes.size() +
             row.extents.size() * sizeof(repo::Extent);
  }
  return bytes;
}

}  // namespace

Result<SharedRows> BlockCache::get(std::uint64_t table, std::size_t block, const Load& load) {
  Key key{table, block};
  {
    std::lock_guard lock(mutex_);
    auto found = places_.find(key);
    if (found != places_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->rows;
    }
  }
  auto loaded = LB_TRY(load());
  auto rows = std::make_shared<const std::vector<repo::Row>>(std::move(loaded));
  keep(key, rows);
  return rows;
}

void BlockCache::keep(Key key, const SharedRows& rows) {
  auto bytes = memory_of(*rows);
  std::lock_guard lock(mutex_);
  if (places_.contains(key)) return;
  recent_.push_front({key, rows, bytes});
  places_[key] = recent_.begin();
  bytes_ += bytes;
  // The newest stays whatever its size: its reader has it anyway.
  while (bytes_ > bytes_max_ && recent_.size() > 1) {
    bytes_ -= recent_.back().bytes;
    places_.erase(recent_.back().key);
    recent_.pop_back();
  }
}

std::uint64_t BlockCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace lb::mount
