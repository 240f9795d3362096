#include "foundation/sys/sim_tree.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>

#include "foundation/base/text.h"
#include "foundation/sys/real_file.h"

namespace lb {

namespace {

constexpr int links_followed_max = 40;

void prepend(std::deque<std::string>& rest, const std::string& path) {
  auto parts = split(path, '/');
  rest.insert(rest.begin(), parts.begin(), parts.end());
}

// Every node below, each once.
void visit(SimNode& node, std::map<const SimNode*, bool>& seen,
           const std::function<void(SimNode&)>& act) {
  if (!seen.emplace(&node, true).second) return;
  act(node);
  for (auto& [name, child] : node.live.entries) visit(*child, seen, act);
}

}  // namespace

SimTree::SimTree() : root_(std::make_shared<SimNode>()) {
  root_->kind = FileKind::directory;
  root_->inode = next_inode_++;
  root_->links = 1;
  root_->live.mode = 0755;
  root_->durable = root_->live;
}

Status SimTree::enter(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Error(ErrorKind::invalid, cat("not a path: '", printable(path), "'"));
  }
  const auto call = calls++;
  if (fail_at && (call == *fail_at || (fail_on && call > *fail_at))) {
    fired = true;
    return path_error(fail_errno, "simulated failure at", path);
  }
  return {};
}

Result<SimPlace> SimTree::find(const std::string& path, bool follow_last) {
  std::deque<std::string> rest;
  prepend(rest, path);
  bool into_folder = path.ends_with('/');
  while (!rest.empty() && rest.back().empty()) rest.pop_back();
  std::vector<std::shared_ptr<SimNode>> way = {root_};
  int followed = 0;
  while (!rest.empty()) {
    auto name = rest.front();
    rest.pop_front();
    auto folder = way.back();
    if (folder->kind != FileKind::directory) return path_error(ENOTDIR, "find", path);
    if (name == ".." && way.size() > 1) way.pop_back();
    if (name.empty() || name == "." || name == "..") continue;
    auto found = folder->live.entries.find(name);
    if (found == folder->live.entries.end()) {
      if (rest.empty()) return SimPlace{folder, name, nullptr};
      return path_error(ENOENT, "find", path);
    }
    auto node = found->second;
    bool follow = !rest.empty() || follow_last || into_folder;
    if (node->kind == FileKind::symlink && follow) {
      if (++followed > links_followed_max) return path_error(ELOOP, "find", path);
      if (node->live.target.starts_with('/')) way = {root_};
      prepend(rest, node->live.target);
      continue;
    }
    if (rest.empty() && into_folder && node->kind != FileKind::directory) {
      return path_error(ENOTDIR, "find", path);
    }
    if (rest.empty()) return SimPlace{folder, name, node};
    way.push_back(node);
  }
  return SimPlace{nullptr, "", way.back()};
}

Result<SimPlace> SimTree::find_existing(const std::string& path, bool follow_last) {
  auto place = LB_TRY(find(path, follow_last));
  if (!place.node) return path_error(ENOENT, "find", path);
  return place;
}

Result<SimPlace> SimTree::find_free(const std::string& path) {
  auto place = LB_TRY(find(path));
  if (place.node) return path_error(EEXIST, "make", path);
  return place;
}

std::shared_ptr<SimNode> SimTree::add(const SimPlace& place, FileKind kind, std::uint32_t mode) {
  auto node = std::make_shared<SimNode>();
  node->kind = kind;
  node->inode = next_inode_++;
  node->links = 1;
  node->live.mode = mode & 07777;
  touch(*node);
  // A folder made durable shows the file, empty: its content is durable only by its own sync.
  node->durable = node->live;
  place.folder->live.entries[place.name] = node;
  touch(*place.folder);
  return node;
}

void SimTree::unlink(const SimPlace& place) {
  place.folder->live.entries.erase(place.name);
  touch(*place.folder);
  if (--place.node->links == 0) used_ -= place.node->live.data.size();
}

bool SimTree::resize(SimNode& node, std::uint64_t size) {
  auto before = node.live.data.size();
  if (size > before && size - before > space_left()) return false;
  node.live.data.resize(size);
  if (node.links > 0) used_ = used_ + size - before;
  touch(node);
  return true;
}

std::uint64_t SimTree::space_left() const { return space_max - std::min(space_max, used_); }

void SimTree::touch(SimNode& node) {
  now_ns_ += 1000;
  node.live.mtime_ns = now_ns_;
  node.live.ctime_ns = now_ns_;
}

void SimTree::sync_all() {
  std::map<const SimNode*, bool> seen;
  visit(*root_, seen, [](SimNode& node) { node.durable = node.live; });
}

void SimTree::restore(SimNode& node, Random* chance, std::map<const SimNode*, bool>& seen) {
  if (!seen.emplace(&node, true).second) return;
  node.links = 0;
  bool kept = chance != nullptr && chance->below(2) == 1;
  if (kept) {
    // The disk may have taken more than was asked for: all of it, or a file up to some byte and
    // beyond it what was there before.
    auto& data = node.live.data;
    const auto& before = node.durable.data;
    auto torn = chance->below(2) == 1 ? chance->below(data.size() + 1) : data.size();
    for (auto i = torn; i < data.size(); ++i) data[i] = i < before.size() ? before[i] : 0;
  } else {
    node.live = node.durable;
  }
  node.durable = node.live;
  for (auto& [name, child] : node.live.entries) restore(*child, chance, seen);
}

void SimTree::crash(Random* chance) {
  ++epoch;
  std::map<const SimNode*, bool> seen;
  restore(*root_, chance, seen);
  used_ = 0;
  root_->links = 1;
  seen.clear();
  visit(*root_, seen, [this](SimNode& node) {
    used_ += node.live.data.size();
    for (auto& [name, child] : node.live.entries) ++child->links;
  });
}

FileInfo SimTree::info(const SimNode& node) const {
  FileInfo out;
  out.kind = node.kind;
  out.mode = node.live.mode;
  out.uid = node.live.uid;
  out.gid = node.live.gid;
  out.size = node.kind == FileKind::symlink ? node.live.target.size() : node.live.data.size();
  out.mtime_ns = node.live.mtime_ns;
  out.ctime_ns = node.live.ctime_ns;
  out.device = 1;
  out.inode = node.inode;
  out.links = node.links;
  out.special = node.special;
  out.allocated = (out.size + 4095) / 4096 * 4096;
  return out;
}

}  // namespace lb
