// PointTree: the tree of one recovery point, read out of its sorted table.
// Every file has a number that follows from its row, so that nothing is
// remembered of what was looked at. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "recovery/mount/node.h"
#include "recovery/mount/table_view.h"

namespace lb::mount {

using Number = std::uint64_t;  // 0 is the root, n the row n - 1
inline constexpr Number root_number = 0;

struct Child {
  std::string name;
  Number number = 0;  // all names of a file have one number: that of its first name
  FileKind kind = FileKind::regular;
  std::optional<Node> node;  // empty: what is known of it cannot be read
  std::uint64_t next = 0;    // cursor behind it
};

class PointTree {
 public:
  // unsupported when the point is no tree. `id` tells its blocks from others in
  // the cache.
  static Result<std::shared_ptr<PointTree>> open(std::unique_ptr<repo::SnapshotReader> snapshot,
                                                 BlockCache& cache, std::uint64_t id, UserId owner);

  // Errors: invalid for a number that is none, corrupt for what cannot be read.
  Result<Node> node(Number number);
  Result<std::optional<Child>> child(Number folder, const std::string& name);
  Result<Number> parent(Number number);
  // The row that holds the content of a file.
  Result<NumberedRow> row(Number number);
  // Entries of a folder in key order, from a cursor on (0: the first), until
  // `take` returns false.
  Status list(Number folder, std::uint64_t cursor, const std::function<bool(const Child&)>& take);
  std::string path(Number number);  // printable, for messages
  repo::SnapshotReader& snapshot() { return *snapshot_; }

 private:
  PointTree(std::unique_ptr<repo::SnapshotReader> snapshot, BlockCache& cache, std::uint64_t id,
            Layout layout, UserId owner);
  // What the keys of a folder's entries begin with.
  Result<std::string> prefix(Number folder);
  Result<Number> number_of(const std::string& key);  // corrupt: no such row
  Child child_of(const NumberedRow& row, std::string name);
  Result<NumberedRow> first_name(const NumberedRow& row, const Node& node);

  const std::unique_ptr<repo::SnapshotReader> snapshot_;
  TableView table_;
  const Layout layout_;
  const char separator_;
  const UserId owner_;
};

}  // namespace lb::mount
