#include "recovery/mount/mount_tree.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::mount {

namespace {

// An id is the place of its point (in the store form counted from 1, the top
// folder being 0) above the number in it, and one more, because the kernel's
// root is 1.
constexpr unsigned number_bits = 40;
constexpr Id latest_id = root_id + 1;
constexpr const char* latest_name = "latest";

std::uint64_t place_of(Id id) { return (id - 1) >> number_bits; }
Number number_of(Id id) { return (id - 1) & ((Id{1} << number_bits) - 1); }
Id id_of(std::uint64_t place, Number number) { return (place << number_bits) + number + 1; }

}  // namespace

Result<std::unique_ptr<MountTree>> MountTree::of_point(repo::Repository& repository,
                                                       const std::string& snapshot, UserId owner) {
  std::unique_ptr<MountTree> out(new MountTree(repository, owner, false));
  out->points_.push_back({{}, snapshot, 0});
  auto tree = LB_TRY(out->tree(0));
  const auto& info = tree->snapshot().info();
  out->totals_ = {info.rows, info.logical_bytes};
  return out;
}

std::unique_ptr<MountTree> MountTree::of_store(repo::Repository& repository,
                                               std::vector<repo::SnapshotInfo> points,
                                               UserId owner) {
  std::unique_ptr<MountTree> out(new MountTree(repository, owner, true));
  for (const auto& point : points) out->add_point(point);
  return out;
}

void MountTree::add_point(const repo::SnapshotInfo& info) {
  auto name = format_time_seconds(info.meta.taken);
  bool taken = std::any_of(points_.begin(), points_.end(),
                           [&](const Point& point) { return point.name == name; });
  if (taken) name += cat(" ", info.id);
  points_.push_back({name, info.id, to_micros(info.meta.taken) * 1000});
  totals_.files += info.rows;
  totals_.bytes += info.logical_bytes;
}

Result<std::shared_ptr<PointTree>> MountTree::tree(std::uint64_t place) {
  auto index = store_form_ ? place - 1 : place;
  if (index >= points_.size()) return Error(ErrorKind::invalid, "no such point");
  std::lock_guard lock(mutex_);
  auto found = std::find_if(open_.begin(), open_.end(),
                            [&](const auto& each) { return each.first == place; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return found->second;
  }
  auto snapshot = LB_TRY(repository_.snapshot(points_[index].snapshot));
  auto tree = LB_TRY(PointTree::open(std::move(snapshot), blocks_, place, owner_));
  open_.emplace_front(place, tree);
  if (open_.size() > open_points_max) open_.pop_back();
  return tree;
}

Node MountTree::top_node(Id id) const {
  auto node = plain_folder(owner_, points_.empty() ? 0 : points_.back().taken_ns);
  if (id != latest_id) return node;
  node.attributes.kind = FileKind::symlink;
  node.attributes.mode = 0777;
  node.attributes.link_target = points_.empty() ? "." : points_.back().name;
  node.size = node.attributes.link_target.size();
  return node;
}

Result<Node> MountTree::node(Id id) {
  if (is_top(id)) return top_node(id);
  auto tree = LB_TRY(this->tree(place_of(id)));
  return tree->node(number_of(id));
}

Result<std::optional<Child>> MountTree::top_child(const std::string& name) {
  if (name == latest_name && !points_.empty()) {
    return std::optional(Child{name, latest_id, FileKind::symlink, top_node(latest_id), 0});
  }
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].name != name) continue;
    auto tree = LB_TRY(this->tree(i + 1));
    auto node = LB_TRY(tree->node(root_number));
    return std::optional(
        Child{name, id_of(i + 1, root_number), FileKind::directory, std::move(node), 0});
  }
  return std::optional<Child>();
}

Result<std::optional<Child>> MountTree::child(Id folder, const std::string& name) {
  if (is_top(folder)) return top_child(name);
  auto place = place_of(folder);
  auto tree = LB_TRY(this->tree(place));
  auto child = LB_TRY(tree->child(number_of(folder), name));
  if (child) child->number = id_of(place, child->number);
  return child;
}

Result<Id> MountTree::parent(Id id) {
  if (is_top(id) || (store_form_ && number_of(id) == root_number)) return root_id;
  auto tree = LB_TRY(this->tree(place_of(id)));
  auto number = LB_TRY(tree->parent(number_of(id)));
  return id_of(place_of(id), number);
}

Status MountTree::list_top(std::uint64_t cursor, const std::function<bool(const Child&)>& take) {
  for (auto i = cursor; i < points_.size(); ++i) {
    // Not opened for a mere list of names: there may be hundreds.
    Child child{points_[i].name, id_of(i + 1, root_number), FileKind::directory, {}, i + 1};
    if (!take(child)) return {};
  }
  if (points_.empty() || cursor > points_.size()) return {};
  take({latest_name, latest_id, FileKind::symlink, top_node(latest_id), points_.size() + 1});
  return {};
}

Status MountTree::list(Id folder, std::uint64_t cursor,
                       const std::function<bool(const Child&)>& take) {
  if (is_top(folder)) return list_top(cursor, take);
  auto place = place_of(folder);
  auto tree = LB_TRY(this->tree(place));
  return tree->list(number_of(folder), cursor, [&](const Child& found) {
    auto child = found;
    child.number = id_of(place, child.number);
    return take(child);
  });
}

Result<MountTree::Content> MountTree::content(Id id) {
  if (is_top(id)) return Error(ErrorKind::invalid, "not a file");
  auto place = place_of(id);
  auto tree = LB_TRY(this->tree(place));
  auto row = LB_TRY(tree->row(number_of(id)));
  return Content{std::move(tree), place, std::move(row)};
}

std::string MountTree::path(Id id) {
  if (is_top(id)) return id == latest_id ? latest_name : ".";
  auto tree = this->tree(place_of(id));
  auto below = tree.ok() ? (*tree)->path(number_of(id)) : cat("row ", number_of(id));
  return store_form_ && place_of(id) <= points_.size()
             ? cat(points_[place_of(id) - 1].name, "/", below)
             : below;
}

}  // namespace lb::mount
