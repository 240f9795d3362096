// RowStream: the rows of a snapshot that a filter wants, in key order, with the folders that lead
// to them. Keys are judged before they become paths: a snapshot from a hostile host must not name a
// place outside the target. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "stores/files/path_filter.h"
#include "stores/files/selection.h"
#include "stores/files/store.h"

namespace lb::files {

struct StreamedRow {
  repo::Row row;
  std::string path;
  Attributes attributes;
  bool ancestor = false;  // only on the way to what is wanted
};

class RowStream {
 public:
  // not_found, with a hint, when a path of the filter is not in the snapshot.
  static Result<std::unique_ptr<RowStream>> open(repo::SnapshotReader& snapshot, PathFilter filter);
  Result<std::optional<StreamedRow>> next();

 private:
  RowStream(repo::SnapshotReader& snapshot, PathFilter filter);
  Status start_path(const std::string& path);
  Result<StreamedRow> judged(repo::Row row, bool ancestor);

  repo::SnapshotReader& snapshot_;
  PathFilter filter_;
  std::size_t next_path_ = 0;
  std::deque<StreamedRow> waiting_;
  std::unique_ptr<repo::RowCursor> cursor_;
  std::optional<std::string> last_key_;
};

// What was left out when the snapshot was taken: it has no say about such files (include, exclude,
// the repository itself).
Result<Selection> recorded_selection(repo::SnapshotReader& snapshot);

// corrupt unless every name in the key is one a folder can hold.
Status check_key(const std::string& key);

}  // namespace lb::files
