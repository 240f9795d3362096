// ParentRows: the rows of the earlier snapshot, met in step with a walk in key order. A parent that
// cannot be read only costs time: from there on every file is read again. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stores/files/store.h"

namespace lb::files {

class ParentRows {
 public:
  explicit ParentRows(repo::SnapshotReader* parent);  // null: no rows
  // The row with this key, valid until the next call; null when there is none. Keys must ascend.
  const repo::Row* seek(const std::string& key);
  // Its attributes; null when they cannot be read.
  const Attributes* attributes();
  const std::optional<Error>& trouble() const { return trouble_; }

 private:
  void advance();

  std::unique_ptr<repo::RowCursor> cursor_;
  std::optional<repo::Row> row_;
  std::optional<Attributes> attributes_;
  std::optional<Error> trouble_;
};

}  // namespace lb::files
