// FolderWay: which folders a path leads through, so that two paths are compared by the folders
// themselves: links and other spellings do not hide that one lies in the other.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "foundation/sys/files.h"

namespace lb::cli {

class FolderWay {
 public:
  // What does not exist yet is known by its path alone.
  static Result<FolderWay> of(Files& files, std::string path);
  // Whether the other one is this folder, or lies in it.
  bool contains(const FolderWay& inner) const;
  bool overlaps(const FolderWay& other) const { return contains(other) || other.contains(*this); }

 private:
  std::string path_;
  bool exists_ = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> folders_;  // device, inode; itself first
};

}  // namespace lb::cli
