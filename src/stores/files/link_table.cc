#include "stores/files/link_table.h"

namespace lb::files {

LinkTable::FirstName LinkTable::find(const FileInfo& info) {
  std::lock_guard lock(mutex_);
  auto found = names_.find({info.device, info.inode});
  if (found == names_.end()) return nullptr;
  auto first = found->second;
  if (++first->met >= info.links) names_.erase(found);
  return first;
}

LinkTable::FirstName LinkTable::add(const FileInfo& info, const std::string& path) {
  std::lock_guard lock(mutex_);
  auto first = std::make_shared<First>();
  first->path = path;
  names_[{info.device, info.inode}] = first;
  return first;
}

void LinkTable::resolve(const FirstName& first, bool saved) {
  std::lock_guard lock(mutex_);
  first->state = saved ? First::saved : First::failed;
  resolved_.notify_all();
}

bool LinkTable::wait_or_replace(const FirstName& first, const std::string& path,
                                std::stop_token stop) {
  std::unique_lock lock(mutex_);
  resolved_.wait(lock, stop, [&] { return first->state != First::pending; });
  if (first->state == First::saved) return true;
  first->path = path;
  first->state = First::pending;
  return false;
}

std::size_t LinkTable::size() const {
  std::lock_guard lock(mutex_);
  return names_.size();
}

}  // namespace lb::files
