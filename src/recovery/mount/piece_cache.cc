#include "recovery/mount/piece_cache.h"

namespace lb::mount {

Result<SharedBytes> PieceCache::get(const PieceKey& key,
                                    const std::function<Result<Buffer>()>& load) {
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      auto& entry = entries_[key];  // a new one is reserved, by this reader
      if (entry.state == State::ready) {
        recent_.splice(recent_.begin(), recent_, entry.place);
        return entry.bytes;
      }
      if (entry.state == State::reserved) {
        entry.state = State::loading;
        break;
      }
      changed_.wait(lock);
    }
  }
  auto bytes = load();
  if (bytes.ok()) return keep(key, std::move(bytes).take());
  give_up(key);
  return std::move(bytes).take_error();
}

bool PieceCache::reserve(const PieceKey& key) {
  std::lock_guard lock(mutex_);
  return entries_.try_emplace(key).second;
}

bool PieceCache::start(const PieceKey& key) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.state != State::reserved) return false;
  found->second.state = State::loading;
  return true;
}

void PieceCache::put(const PieceKey& key, Buffer bytes) { keep(key, std::move(bytes)); }

void PieceCache::give_up(const PieceKey& key) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found != entries_.end() && found->second.state != State::ready) entries_.erase(found);
  changed_.notify_all();
}

SharedBytes PieceCache::keep(const PieceKey& key, Buffer bytes) {
  auto shared = std::make_shared<const Buffer>(std::move(bytes));
  std::lock_guard lock(mutex_);
  auto& entry = entries_[key];
  entry.state = State::ready;
  entry.bytes = shared;
  recent_.push_front(key);
  entry.place = recent_.begin();
  bytes_ += shared->size();
  while (bytes_ > bytes_max_ && !recent_.empty()) {
    auto oldest = entries_.find(recent_.back());
    bytes_ -= oldest->second.bytes->size();
    entries_.erase(oldest);
    recent_.pop_back();
  }
  changed_.notify_all();
  return shared;
}

std::uint64_t PieceCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace lb::mount
