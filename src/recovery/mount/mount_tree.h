// MountTree: what a mount shows: one point as its tree, or the points of a
// store as folders named by their time, with the link `latest`. Files have ids
// that stay the same while it is mounted and cost no memory; points are opened
// when they are entered, and few at a time. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "recovery/mount/point_tree.h"

namespace lb::mount {

using Id = std::uint64_t;
inline constexpr Id root_id = 1;  // as the kernel calls it

inline constexpr std::size_t open_points_max = 4;

class MountTree {
 public:
  static Result<std::unique_ptr<MountTree>> of_point(repo::Repository& repository,
                                                     const std::string& snapshot, UserId owner);
  // `points` oldest first.
  static std::unique_ptr<MountTree> of_store(repo::Repository& repository,
                                             std::vector<repo::SnapshotInfo> points, UserId owner);

  // A child's number is its id here. Errors as in PointTree.
  Result<Node> node(Id id);
  Result<std::optional<Child>> child(Id folder, const std::string& name);
  Result<Id> parent(Id id);
  Status list(Id folder, std::uint64_t cursor, const std::function<bool(const Child&)>& take);

  // The row that holds a file's content, its tree, and what tells that from
  // others.
  struct Content {
    std::shared_ptr<PointTree> tree;  // kept while the file is open
    std::uint64_t table = 0;
    NumberedRow row;
  };
  Result<Content> content(Id id);
  std::string path(Id id);  // printable, below the mount

  struct Totals {
    std::uint64_t files = 0, bytes = 0;
  };
  const Totals& totals() const { return totals_; }

 private:
  struct Point {
    std::string name, snapshot;
    std::int64_t taken_ns = 0;
  };
  MountTree(repo::Repository& repository, UserId owner, bool store_form)
      : repository_(repository), owner_(owner), store_form_(store_form) {}
  bool is_top(Id id) const { return store_form_ && id < 3; }  // the top folder and its link
  Result<std::shared_ptr<PointTree>> tree(std::uint64_t place);
  Node top_node(Id id) const;
  Result<std::optional<Child>> top_child(const std::string& name);
  Status list_top(std::uint64_t cursor, const std::function<bool(const Child&)>& take);
  void add_point(const repo::SnapshotInfo& info);

  repo::Repository& repository_;
  const UserId owner_;
  const bool store_form_;
  std::vector<Point> points_;
  Totals totals_;
  BlockCache blocks_{32 << 20};
  std::mutex mutex_;
  std::list<std::pair<std::uint64_t, std::shared_ptr<PointTree>>> open_;  // used last first
};

}  // namespace lb::mount
