#include "foundation/sys/sim_files.h"

#include <cerrno>

#include "foundation/base/text.h"
#include "foundation/sys/real_file.h"
#include "foundation/sys/sim_file.h"
#include "foundation/sys/sim_tree.h"

namespace lb {

SimFiles::SimFiles() : tree_(std::make_shared<SimTree>()) {}
SimFiles::~SimFiles() = default;

void SimFiles::fail_call(std::uint64_t nth, int error) {
  std::lock_guard lock(tree_->mutex);
  tree_->calls = 0;
  tree_->fail_at = nth;
  tree_->fail_errno = error;
  tree_->fail_on = false;
  tree_->fired = false;
}

void SimFiles::fail_from(std::uint64_t nth) {
  fail_call(nth);
  std::lock_guard lock(tree_->mutex);
  tree_->fail_on = true;
}

bool SimFiles::fault_fired() const {
  std::lock_guard lock(tree_->mutex);
  return tree_->fired;
}

void SimFiles::set_space(std::uint64_t bytes_max) {
  std::lock_guard lock(tree_->mutex);
  tree_->space_max = bytes_max;
}

void SimFiles::set_exchange(bool can) {
  std::lock_guard lock(tree_->mutex);
  tree_->can_exchange = can;
}

void SimFiles::crash(Random* chance) {
  std::lock_guard lock(tree_->mutex);
  tree_->fail_at.reset();
  tree_->crash(chance);
}

Result<std::unique_ptr<File>> SimFiles::open(const std::string& path, bool writable) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind == FileKind::symlink) return path_error(ELOOP, "open", path);
  if (place.node->kind == FileKind::directory) return path_error(EISDIR, "open", path);
  if (place.node->kind != FileKind::regular) return path_error(EINVAL, "open", path);
  return std::unique_ptr<File>(std::make_unique<SimFile>(tree_, place.node, path, writable));
}

Result<std::unique_ptr<File>> SimFiles::open_read(const std::string& path) {
  return open(path, false);
}
Result<std::unique_ptr<File>> SimFiles::open_write(const std::string& path) {
  return open(path, true);
}

Result<std::unique_ptr<File>> SimFiles::create(const std::string& path, std::uint32_t mode) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_free(path));
  auto node = tree_->add(place, FileKind::regular, mode);
  return std::unique_ptr<File>(std::make_unique<SimFile>(tree_, node, path, true));
}

Status SimFiles::link(const std::string& existing, const std::string& fresh) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(existing));
  auto from = LB_TRY(tree_->find_existing(existing));
  auto to = LB_TRY(tree_->find_free(fresh));
  if (from.node->kind == FileKind::directory) return path_error(EPERM, "link", existing);
  to.folder->live.entries[to.name] = from.node;
  ++from.node->links;
  tree_->touch(*to.folder);
  return {};
}

namespace {

bool is_below(const SimNode& folder, const SimNode* wanted) {
  if (&folder == wanted) return true;
  for (const auto& [name, child] : folder.live.entries) {
    if (child->kind == FileKind::directory && is_below(*child, wanted)) return true;
  }
  return false;
}

int rename_obstacle(const SimPlace& from, const SimPlace& to) {
  bool folder = from.node->kind == FileKind::directory;
  if (from.folder == nullptr || to.folder == nullptr) return EBUSY;
  if (folder && is_below(*from.node, to.folder.get())) return EINVAL;
  if (!to.node) return 0;
  bool onto_folder = to.node->kind == FileKind::directory;
  if (onto_folder && !folder) return EISDIR;
  if (folder && !onto_folder) return ENOTDIR;
  return onto_folder && !to.node->live.entries.empty() ? ENOTEMPTY : 0;
}

}  // namespace

Status SimFiles::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(from));
  auto source = LB_TRY(tree_->find_existing(from));
  auto target = LB_TRY(tree_->find(to));
  if (source.node == target.node) return {};
  if (int obstacle = rename_obstacle(source, target); obstacle != 0) {
    return path_error(obstacle, "rename to", to);
  }
  if (target.node) tree_->unlink(target);
  source.folder->live.entries.erase(source.name);
  target.folder->live.entries[target.name] = source.node;
  tree_->touch(*source.folder);
  tree_->touch(*target.folder);
  return {};
}

Status SimFiles::exchange(const std::string& one, const std::string& other) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(one));
  if (!tree_->can_exchange)
    return Error(ErrorKind::unsupported, "the file system cannot exchange names: " + one);
  auto first = LB_TRY(tree_->find_existing(one));
  auto second = LB_TRY(tree_->find_existing(other));
  if (first.folder == nullptr || second.folder == nullptr)
    return path_error(EBUSY, "exchange", one);
  bool within =
      is_below(*first.node, second.folder.get()) || is_below(*second.node, first.folder.get());
  if (within) return path_error(EINVAL, "exchange", one);
  first.folder->live.entries[first.name] = second.node;
  second.folder->live.entries[second.name] = first.node;
  tree_->touch(*first.folder);
  tree_->touch(*second.folder);
  return {};
}

Status SimFiles::remove(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind == FileKind::directory) return path_error(EISDIR, "remove", path);
  tree_->unlink(place);
  return {};
}

class SimFiles::Lock final : public FileLock {
 public:
  Lock(std::shared_ptr<SimTree> tree, std::shared_ptr<SimNode> node)
      : tree_(std::move(tree)), node_(std::move(node)), epoch_(tree_->epoch) {
    node_->locked_in = epoch_;
  }
  ~Lock() override {
    std::lock_guard lock(tree_->mutex);
    if (node_->locked_in == epoch_) node_->locked_in.reset();
  }

 private:
  std::shared_ptr<SimTree> tree_;
  std::shared_ptr<SimNode> node_;
  std::uint64_t epoch_;
};

Result<std::unique_ptr<FileLock>> SimFiles::lock(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find(path));
  auto node = place.node ? place.node : tree_->add(place, FileKind::regular, 0600);
  if (node->locked_in == tree_->epoch)
    return Error(ErrorKind::conflict, cat("another program has the lock ", printable(path)));
  return std::unique_ptr<FileLock>(std::make_unique<Lock>(tree_, node));
}

Status SimFiles::make_directory(const std::string& path, std::uint32_t mode) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_free(path));
  tree_->add(place, FileKind::directory, mode);
  return {};
}

Status SimFiles::remove_directory(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind != FileKind::directory) return path_error(ENOTDIR, "remove", path);
  if (!place.node->live.entries.empty()) return path_error(ENOTEMPTY, "remove", path);
  if (!place.folder) return path_error(EBUSY, "remove", path);
  tree_->unlink(place);
  return {};
}

Status SimFiles::sync_directory(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path, true));
  if (place.node->kind != FileKind::directory) return path_error(ENOTDIR, "sync", path);
  place.node->durable = place.node->live;
  return {};
}

Status SimFiles::sync_filesystem(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  LB_TRY(tree_->find_existing(path, true).status());
  tree_->sync_all();
  return {};
}

Result<std::vector<DirEntry>> SimFiles::list(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind != FileKind::directory) return path_error(ENOTDIR, "list", path);
  std::vector<DirEntry> out;
  for (const auto& [name, node] : place.node->live.entries) out.push_back({name, node->kind});
  return out;
}

Result<FileInfo> SimFiles::info(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  return tree_->info(*place.node);
}

Result<SpaceInfo> SimFiles::space(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  LB_TRY(tree_->find_existing(path, true).status());
  return SpaceInfo{tree_->space_max, tree_->space_left(), 1 << 20};
}

Result<std::string> SimFiles::read_link(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind != FileKind::symlink) return path_error(EINVAL, "read link", path);
  return place.node->live.target;
}

Status SimFiles::make_symlink(const std::string& target, const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_free(path));
  auto node = tree_->add(place, FileKind::symlink, 0777);
  node->live.target = target;
  node->durable.target = target;
  return {};
}

Status SimFiles::make_special(const std::string& path, FileKind kind, std::uint32_t mode,
                              std::uint64_t device) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  if (kind == FileKind::regular || kind == FileKind::directory || kind == FileKind::symlink) {
    return path_error(EINVAL, "make special file", path);
  }
  auto place = LB_TRY(tree_->find_free(path));
  tree_->add(place, kind, mode)->special = device;
  return {};
}

Status SimFiles::set_mode(const std::string& path, std::uint32_t mode) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  if (place.node->kind == FileKind::symlink) return path_error(ENOTSUP, "change mode of", path);
  place.node->live.mode = mode & 07777;
  return {};
}

Status SimFiles::set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  place.node->live.uid = uid;
  place.node->live.gid = gid;
  return {};
}

Status SimFiles::set_mtime(const std::string& path, std::int64_t mtime_ns) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  place.node->live.mtime_ns = mtime_ns;
  return {};
}

Result<std::vector<std::string>> SimFiles::list_xattrs(const std::string& path) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  std::vector<std::string> out;
  for (const auto& [name, value] : place.node->live.xattrs) out.push_back(name);
  return out;
}

Result<Buffer> SimFiles::get_xattr(const std::string& path, const std::string& name) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  auto found = place.node->live.xattrs.find(name);
  if (found == place.node->live.xattrs.end()) {
    return path_error(ENODATA, cat("read attribute ", printable(name), " of"), path);
  }
  return found->second;
}

Status SimFiles::set_xattr(const std::string& path, const std::string& name, ByteView value) {
  std::lock_guard lock(tree_->mutex);
  LB_TRY(tree_->enter(path));
  auto place = LB_TRY(tree_->find_existing(path));
  place.node->live.xattrs[name] = Buffer(value.begin(), value.end());
  return {};
}

}  // namespace lb
