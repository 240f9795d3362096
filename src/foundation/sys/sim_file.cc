#include "foundation/sys/sim_file.h"

#include <algorithm>
#include <cerrno>

#include "foundation/sys/real_file.h"

namespace lb {

SimFile::SimFile(std::shared_ptr<SimTree> tree, std::shared_ptr<SimNode> node, std::string path,
                 bool writable)
    : tree_(std::move(tree)),
      node_(std::move(node)),
      path_(std::move(path)),
      writable_(writable),
      epoch_(tree_->epoch) {}

Status SimFile::enter(bool for_writing) {
  if (epoch_ != tree_->epoch) return path_error(EIO, "use a file opened before the crash:", path_);
  if (for_writing && !writable_) return path_error(EBADF, "write", path_);
  return tree_->enter(path_);
}

Result<std::size_t> SimFile::read_at(MutableBytes out, std::uint64_t offset) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  const auto& data = node_->live.data;
  if (offset >= data.size()) return std::size_t{0};
  auto count = std::min<std::size_t>(out.size(), data.size() - offset);
  std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
  return count;
}

Status SimFile::write_locked(ByteView bytes, std::uint64_t offset) {
  if (bytes.empty()) return {};
  auto& data = node_->live.data;
  auto end = offset + bytes.size();
  bool fits = end <= data.size() || tree_->resize(*node_, end);
  if (!fits) {
    auto reachable = data.size() + tree_->space_left();
    bytes = bytes.first(reachable > offset ? reachable - offset : 0);
    tree_->resize(*node_, reachable);
  }
  std::copy(bytes.begin(), bytes.end(),
            data.begin() + static_cast<std::ptrdiff_t>(std::min(offset, data.size())));
  tree_->touch(*node_);
  if (!fits) return path_error(ENOSPC, "write", path_);
  return {};
}

Status SimFile::write_at(ByteView bytes, std::uint64_t offset) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter(true));
  return write_locked(bytes, offset);
}

Status SimFile::append(ByteView bytes) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter(true));
  return write_locked(bytes, node_->live.data.size());
}

Status SimFile::end_behind() {
  std::lock_guard lock(tree_->mutex);
  return enter(true);
}

Status SimFile::sync() {
  std::lock_guard lock(tree_->mutex);
  auto entered = enter();
  if (!entered.ok() && epoch_ == tree_->epoch) {
    sync_failed_ = true;
    // The kernel marks pages it could not write as clean: they are lost without a further word.
    auto lost = node_->durable.data.size();
    if (tree_->resize(*node_, lost)) node_->live.data = node_->durable.data;
  }
  LB_TRY(std::move(entered));
  if (sync_failed_) return path_error(EIO, "sync after a failed sync", path_);
  node_->durable = node_->live;
  return {};
}

Status SimFile::truncate(std::uint64_t size) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter(true));
  if (!tree_->resize(*node_, size)) return path_error(ENOSPC, "truncate", path_);
  return {};
}

Result<FileInfo> SimFile::info() {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  return tree_->info(*node_);
}

Result<std::vector<DataRange>> SimFile::data_ranges() {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  std::vector<DataRange> out;
  if (!node_->live.data.empty()) out.push_back({0, node_->live.data.size()});
  return out;
}

Status SimFile::set_mode(std::uint32_t mode) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  node_->live.mode = mode & 07777;
  return {};
}

Status SimFile::set_owner(std::uint32_t uid, std::uint32_t gid) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  node_->live.uid = uid;
  node_->live.gid = gid;
  return {};
}

Status SimFile::set_mtime(std::int64_t mtime_ns) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(enter());
  node_->live.mtime_ns = mtime_ns;
  return {};
}

Status SimFile::close() { return {}; }

}  // namespace lb
