// TreeWalker: a tree in key order (each folder before what is in it, names sorted by bytes), one
// entry at a time. It holds the names of the folders on the way down, never the whole tree. It
// follows no symbolic link below the root. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "foundation/sys/files.h"
#include "stores/files/path_filter.h"
#include "stores/files/selection.h"

namespace lb::files {

struct Visit {
  std::string path;  // below the root; the root is empty
  std::string full;
  FileInfo info;
  std::optional<Error> unread;    // it could not be looked at: `info` is empty
  std::optional<Error> unlisted;  // a folder whose names could not be read
  bool other_filesystem = false;  // a folder not entered because something is mounted there
};

// Device and inode: what a folder is, whatever path leads to it.
using FolderId = std::pair<std::uint64_t, std::uint64_t>;

struct WalkOptions {
  const Selection* selection = nullptr;  // null: everything
  const PathFilter* only = nullptr;      // null: everything
  std::set<FolderId> skip;               // folders not entered and not given
  bool one_filesystem = true;
};

class TreeWalker {
 public:
  TreeWalker(Files& files, std::string root, WalkOptions options);
  // nullopt at the end. An error only when the root itself cannot be read.
  Result<std::optional<Visit>> next();
  // Leaves out what is below the folder given last.
  void skip_folder();
  // Paths below the root where folders of WalkOptions::skip were met so far.
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  struct Folder {
    Visit visit;
    bool included = false, given = false;
    std::unique_ptr<OpenFolder> open;  // null: not entered
    std::vector<DirEntry> entries;
    std::size_t next = 0;
  };
  Result<Visit> start();
  std::optional<Visit> look(const DirEntry& entry);
  Choice choose(const std::string& path, FileKind kind) const;
  void enter(const std::string& name, Visit& visit, bool included);
  Status list(const std::string& name, const std::string& full, Folder& folder);
  Visit give(Visit visit);

  Files& files_;
  std::string root_;
  WalkOptions options_;
  std::vector<Folder> stack_;
  std::vector<Visit> waiting_;  // a visit and the folders to give before it, last first
  std::vector<std::string> skipped_;
  std::uint64_t device_ = 0;
  bool started_ = false;
};

}  // namespace lb::files
