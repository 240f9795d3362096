#include "app/cli/folder_way.h"

#include <algorithm>

namespace lb::cli {

Result<FolderWay> FolderWay::of(Files& files, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  FolderWay out;
  out.path_ = path;
  // The dot follows a link: two names of one folder are one folder.
  for (auto dot = path_join(path, ".");; dot = path_join(path, ".")) {
    auto info = files.info(dot);
    if (info.ok()) break;
    if (info.error().kind() != ErrorKind::not_found) return std::move(info).take_error();
    if (path == "/" || path == ".") return out;
    path = path_parent(path);
  }
  out.exists_ = path == out.path_;
  // Upwards by the folders themselves: what a link leads to lies elsewhere than the link.
  for (auto at = path_join(path, ".");; at = path_join(at, "..")) {
    auto info = LB_TRY(files.info(at));
    auto id = std::pair(info.device, info.inode);
    if (!out.folders_.empty() && out.folders_.back() == id) return out;
    out.folders_.push_back(id);
  }
}

bool FolderWay::contains(const FolderWay& inner) const {
  if (!exists_) return inner.path_ == path_ || inner.path_.starts_with(path_ + "/");
  return std::find(inner.folders_.begin(), inner.folders_.end(), folders_.front()) !=
         inner.folders_.end();
}

}  // namespace lb::cli
