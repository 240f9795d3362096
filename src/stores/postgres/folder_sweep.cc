#include "stores/postgres/folder_sweep.h"

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

// "" for what lies in the data directory itself.
std::string folder_of(const std::string& key) {
  auto slash = key.rfind('/');
  return slash == std::string::npos ? std::string() : key.substr(0, slash);
}

bool is_within(const std::string& key, const std::string& folder) {
  return folder.empty() || key == folder || key.starts_with(folder + "/");
}

}  // namespace

void FolderSweep::keep(const std::string& key) {
  auto folder = folder_of(key);
  open_[folder].insert(key.substr(folder.empty() ? 0 : folder.size() + 1));
  if (!folder.empty()) keep(folder);
}

void FolderSweep::keep_folder(const std::string& key) {
  keep(key);
  open_.try_emplace(key);
}

Status FolderSweep::expect(const std::string& key) {
  auto folder = folder_of(key);
  while (!is_within(folder, last_)) {
    LB_TRY(leave(last_));
    last_ = folder_of(last_);
  }
  last_ = folder;
  keep(key);
  return {};
}

Status FolderSweep::expect_folder(const std::string& key) {
  LB_TRY(expect(key));
  open_.try_emplace(key);
  return {};
}

Status FolderSweep::leave(const std::string& folder_key) {
  auto found = open_.find(folder_key);
  if (found == open_.end()) return {};
  auto names = std::move(found->second);
  open_.erase(found);
  return sweep(folder_key, names);
}

Status FolderSweep::finish() {
  for (const auto& [folder, names] : open_) LB_TRY(sweep(folder, names));
  open_.clear();
  return {};
}

// Nothing for the place of a mapped tablespace: other servers may have folders of theirs in it.
Result<std::optional<std::string>> FolderSweep::path_of(const std::string& folder_key) const {
  if (folder_key.empty()) return std::optional<std::string>(paths_.folder());
  auto place = LB_TRY(paths_.place(folder_key));
  bool top = place.tablespace && place.path == paths_.tablespace(*place.tablespace);
  if (top && paths_.is_mapped(*place.tablespace)) return std::optional<std::string>();
  return std::optional<std::string>(std::move(place.path));
}

Status FolderSweep::sweep(const std::string& folder_key, const std::set<std::string>& names) {
  auto path = LB_TRY(path_of(folder_key));
  if (!path) return {};
  auto there = LB_TRY(path_exists(files_, *path));
  if (!there) return {};
  auto entries = LB_TRY(files_.list(*path));
  for (const auto& entry : entries) {
    if (!names.contains(entry.name)) LB_TRY(remove_tree(files_, path_join(*path, entry.name)));
  }
  return {};
}

}  // namespace lb::pg
