#include "recovery/mount/point_tree.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::mount {

Result<std::shared_ptr<PointTree>> PointTree::open(std::unique_ptr<repo::SnapshotReader> snapshot,
                                                   BlockCache& cache, std::uint64_t id,
                                                   UserId owner) {
  auto layout = LB_TRY(layout_of(snapshot->info().meta.kind));
  return std::shared_ptr<PointTree>(new PointTree(std::move(snapshot), cache, id, layout, owner));
}

PointTree::PointTree(std::unique_ptr<repo::SnapshotReader> snapshot, BlockCache& cache,
                     std::uint64_t id, Layout layout, UserId owner)
    : snapshot_(std::move(snapshot)),
      table_(*snapshot_, cache, id),
      layout_(layout),
      separator_(separator(layout)),
      owner_(owner) {}

Result<NumberedRow> PointTree::row(Number number) {
  if (number == root_number) return Error(ErrorKind::invalid, "the root is no file");
  return table_.row(number - 1);
}

Result<Node> PointTree::node(Number number) {
  if (number != root_number) {
    auto found = LB_TRY(row(number));
    return node_of(layout_, *found, owner_);
  }
  auto found = LB_TRY(table_.find({}));
  if (found) return node_of(layout_, **found, owner_);
  return plain_folder(owner_, to_micros(snapshot_->info().meta.taken) * 1000);
}

Result<std::string> PointTree::prefix(Number folder) {
  if (folder == root_number) return std::string();
  auto found = LB_TRY(row(folder));
  return found->key + separator_;
}

Result<Number> PointTree::number_of(const std::string& key) {
  if (key.empty()) return root_number;
  auto found = LB_TRY(table_.find(key));
  if (found) return found->number() + 1;
  return Error(ErrorKind::corrupt, cat("the table lacks '", printable(files::path_of(key)), "'"));
}

Result<NumberedRow> PointTree::first_name(const NumberedRow& row, const Node& node) {
  if (node.attributes.hard_link_to.empty()) return row;
  auto number = LB_TRY(number_of(files::key_of(node.attributes.hard_link_to)));
  return this->row(number);
}

Child PointTree::child_of(const NumberedRow& row, std::string name) {
  Child child{std::move(name), row.number() + 1, FileKind::regular, {}, row.number() + 2};
  auto node = node_of(layout_, *row, owner_);
  if (!node.ok()) return child;
  child.kind = node->attributes.kind;
  auto first = first_name(row, *node);
  if (!first.ok()) return child;
  child.number = first->number() + 1;
  auto named =
      first->number() == row.number() ? std::move(node) : node_of(layout_, **first, owner_);
  if (named.ok()) child.node = std::move(named).take();
  return child;
}

Result<std::optional<Child>> PointTree::child(Number folder, const std::string& name) {
  auto key = LB_TRY(prefix(folder));
  key += name;
  auto found = LB_TRY(table_.find(key));
  if (!found || name.empty()) return std::optional<Child>();
  auto child = child_of(*found, name);
  if (child.node) return std::optional(std::move(child));
  // The same steps again, for the reason.
  auto node = LB_TRY(node_of(layout_, **found, owner_));
  auto first = LB_TRY(first_name(*found, node));
  child.node = LB_TRY(node_of(layout_, *first, owner_));
  return std::optional(std::move(child));
}

Result<Number> PointTree::parent(Number number) {
  if (number == root_number) return root_number;
  auto found = LB_TRY(row(number));
  auto cut = found->key.rfind(separator_);
  if (cut == std::string::npos) return root_number;
  return number_of(found->key.substr(0, cut));
}

Status PointTree::list(Number folder, std::uint64_t cursor,
                       const std::function<bool(const Child&)>& take) {
  auto start = LB_TRY(prefix(folder));
  auto number = cursor;
  if (cursor == 0) {
    auto first = LB_TRY(table_.at_or_after(start));
    number = first ? first->number() + 1 : table_.rows() + 1;
  }
  while (number <= table_.rows()) {
    auto found = LB_TRY(row(number));
    const auto& key = found->key;
    if (!key.starts_with(start)) return {};
    auto below = key.find(separator_, start.size());
    if (below != std::string::npos) {
      // In a folder of this folder: its entries are passed over at once.
      auto behind = key.substr(0, below) + static_cast<char>(separator_ + 1);
      auto next = LB_TRY(table_.at_or_after(behind));
      if (!next) return {};
      number = next->number() + 1;
      continue;
    }
    ++number;
    if (key.size() == start.size()) continue;  // the root itself
    if (!take(child_of(found, key.substr(start.size())))) return {};
  }
  return {};
}

std::string PointTree::path(Number number) {
  if (number == root_number) return ".";
  auto found = row(number);
  if (!found.ok()) return cat("row ", number - 1);
  auto shown = found->operator*().key;
  std::replace(shown.begin(), shown.end(), '\0', '/');
  return printable(shown);
}

}  // namespace lb::mount
