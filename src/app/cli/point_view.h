// PointView: one recovery point as people look at it: picked by a store's name or the beginning of
// an id, with paths for keys, whatever the kind of its store.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/cli/relation_names.h"
#include "app/cli/session.h"
#include "stores/files/store.h"

namespace lb::cli {

struct PointView {
  repo::SnapshotInfo info;
  std::unique_ptr<repo::SnapshotReader> reader;
  RelationNames relations;  // of a database

  bool is_files() const { return info.meta.kind == "files"; }
  bool is_database() const { return info.meta.kind == "postgres"; }
  // Of a path as typed: "./a/b/" is "a/b".
  std::string key_of(const std::string& path) const;
  std::string path_of(const std::string& key) const;
};

// Snapshots the words name: all of a store, oldest first, or the one whose id begins so. Damaged
// ones are left out. exit 14 with what there is when there is none.
Result<std::vector<repo::SnapshotInfo>> named_points(Session& session, const std::string& name);
// The newest of them, not later than `at` when it is given.
Result<PointView> open_point(Session& session, const std::string& name,
                             const std::optional<Timestamp>& at = {});
Result<PointView> open_point(Session& session, const repo::SnapshotInfo& info);

struct PathFacts {
  bool is_folder = false;
  Timestamp changed{};
};
Result<PathFacts> facts_of(const PointView& point, const repo::Row& row);

// The row of a path; a hard link gives the row that has the content.
Result<repo::Row> find_row(PointView& point, const std::string& path);

// For JSON: readable, and exact in hexadecimal where it is not UTF-8.
void set_path(Json& json, const std::string& path);

}  // namespace lb::cli
