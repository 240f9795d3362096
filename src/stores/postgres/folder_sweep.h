// FolderSweep: removes from a data directory what a snapshot does not put there. Rows come in key
// order, so all that belongs into a folder has been named when a row outside of it comes; then the
// folder is swept, and its names are forgotten. Private to stores/postgres.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "foundation/sys/files.h"
#include "stores/postgres/layout_paths.h"

namespace lb::pg {

class FolderSweep {
 public:
  FolderSweep(Files& files, const LayoutPaths& paths) : files_(files), paths_(paths) {}

  // Belongs there whether a row names it or not. Before the first row of the folder above it.
  void keep_folder(const std::string& key);
  void keep(const std::string& key);
  // The key of the next row that is laid out.
  Status expect(const std::string& key);
  Status expect_folder(const std::string& key);
  Status finish();

 private:
  Status leave(const std::string& folder_key);
  Status sweep(const std::string& folder_key, const std::set<std::string>& names);
  Result<std::optional<std::string>> path_of(const std::string& folder_key) const;

  Files& files_;
  const LayoutPaths& paths_;
  std::map<std::string, std::set<std::string>> open_;  // folder key -> names that belong into it
  std::string last_;                                   // folder of the row before
};

}  // namespace lb::pg
