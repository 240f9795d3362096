// RestoreRun: the deletions of an exact restore, and only those that were confirmed.
#include <algorithm>

#include "foundation/base/text.h"
#include "stores/files/restore_run.h"

namespace lb::files {

Status RestoreRun::delete_foreign() {
  if (options_.mode != RestoreMode::exact) return {};
  // Backwards: what is in a folder sorts after it.
  for (auto path = deletions_.rbegin(); path != deletions_.rend(); ++path) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "the restore was stopped");
    if (!deleted_.contains(*path)) LB_TRY(delete_one(*path));
  }
  return restore_times_above_deleted();
}

// What has to go before a file can take the place of a folder.
Status RestoreRun::delete_below(const std::string& path) {
  auto inside = path + "/";
  auto begin = std::lower_bound(deletions_.begin(), deletions_.end(), inside);
  auto end = begin;
  while (end != deletions_.end() && end->starts_with(inside)) ++end;
  while (end != begin) LB_TRY(delete_one(*--end));
  return {};
}

Status RestoreRun::delete_one(const std::string& path) {
  LB_TRY(check_folders_above(path));
  deleted_.insert(path);
  auto full = full_of(path);
  auto info = files_.info(full);
  if (!info.ok()) {
    if (info.error().kind() == ErrorKind::not_found) return {};
    return std::move(info).take_error();
  }
  auto removed = remove_entry(full, info->kind);
  if (!removed.ok() && removed.error().kind() == ErrorKind::denied) {
    // The folder has its recorded mode again, which may forbid changes in it.
    auto folder = path_parent(full);
    auto now = LB_TRY(files_.info(path_join(folder, ".")));
    LB_TRY(files_.set_mode(path_join(folder, "."), now.mode | 0700));
    removed = remove_entry(full, info->kind);
    LB_TRY(files_.set_mode(path_join(folder, "."), now.mode));
  }
  if (removed.ok() || removed.error().kind() != ErrorKind::conflict) return removed;
  not_empty_.push_back(path);
  return {};
}

Status RestoreRun::remove_entry(const std::string& full, FileKind kind) {
  return kind == FileKind::directory ? files_.remove_directory(full) : files_.remove(full);
}

Status RestoreRun::restore_times_above_deleted() {
  std::set<std::string> folders;
  for (const auto& path : deleted_) {
    auto slash = path.rfind('/');
    folders.insert(slash == std::string::npos ? std::string() : path.substr(0, slash));
  }
  for (const auto& folder : folders) {
    auto row = LB_TRY(snapshot_.find(key_of(folder)));
    if (!row || !filter_.wants(folder)) continue;
    auto attributes = LB_TRY(decode_attributes(row->attributes));
    if (attributes.kind != FileKind::directory) continue;
    LB_TRY(files_.set_mtime(full_of(folder), attributes.mtime_ns));
  }
  return {};
}

}  // namespace lb::files
