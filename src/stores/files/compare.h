// Comparison of a restored folder with the snapshot it came from, and the lookup of single names in
// it. For checks: they only read, follow no symbolic link, and leave the judgement to the caller.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "storage/repo/repository.h"

namespace lb::files {

struct FolderCount {
  std::string folder;  // as it was asked for; the root is empty
  std::uint64_t files = 0, recorded_files = 0;
};

// Counts are of regular files; every name of a hard link counts, on both sides alike.
struct TreeComparison {
  std::uint64_t files = 0, recorded_files = 0;
  std::uint64_t zero_bytes = 0, recorded_zero_bytes = 0;
  std::uint64_t mode_mismatches = 0;     // files and folders
  std::uint64_t content_mismatches = 0;  // size, or bytes when `hashes`
  std::uint64_t missing = 0, extra = 0;  // of any kind; another kind under the same name is missing
  std::uint64_t hashed = 0;              // files whose every byte was compared
  std::vector<FolderCount> folders;      // one for each of `in`
  std::vector<std::string> examples;     // "a/b: mode 0600, recorded 0644"; at most 50
};

// `in`: folders below the root, empty: all. A folder that is neither recorded nor there is
// not_found: a check that looks at nothing must not pass.
Result<TreeComparison> compare_tree(World& world, repo::SnapshotReader& snapshot,
                                    const std::string& folder, const std::vector<std::string>& in,
                                    bool hashes, std::stop_token stop);

// Answers whether a regular file lies at a key ("uploads/a.png") below a folder. Keys come from
// databases: "..", NUL and names reached through a symbolic link are never found. One thread.
class KeyLookup {
 public:
  KeyLookup(Files& files, std::string folder);
  Result<bool> contains(const std::string& key);

 private:
  Result<bool> is_folder(const std::string& path);

  Files& files_;
  std::string folder_;
  std::set<std::string> folders_;  // seen to be real; emptied when it grows large
};

}  // namespace lb::files
