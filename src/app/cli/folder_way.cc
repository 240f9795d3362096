#include "app/cli/folder_way.h"

#include <algorithm>

namespace lb::cli {

Result<FolderWay> FolderWay::of(Files& files, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  FolderWay out;
  out.path_ = path;
  for (;; path = path_parent(path)) {
    // The dot follows a link: two names of one folder are one folder.
    auto info = files.info(path_join(path, "."));
    if (info.ok()) {
      if (path == out.path_) out.exists_ = true;
      out.folders_.emplace_back(info->device, info->inode);
    } else if (info.error().kind() != ErrorKind::not_found) {
      return std::move(info).take_error();
    }
    if (path == "/" || path == ".") return out;
  }
}

bool FolderWay::contains(const FolderWay& inner) const {
  if (!exists_) return inner.path_ == path_ || inner.path_.starts_with(path_ + "/");
  return std::find(inner.folders_.begin(), inner.folders_.end(), folders_.front()) !=
         inner.folders_.end();
}

}  // namespace lb::cli
