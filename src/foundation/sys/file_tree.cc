// Helpers over Files that walk or change folders.
#include "foundation/base/text.h"
#include "foundation/sys/files.h"

namespace lb {

Result<bool> path_exists(Files& files, const std::string& path) {
  auto facts = files.info(path);
  if (facts.ok()) return true;
  if (facts.error().kind() == ErrorKind::not_found) return false;
  return std::move(facts).take_error();
}

Status make_directories(Files& files, const std::string& path, std::uint32_t mode) {
  auto made = files.make_directory(path, mode);
  if (made.ok()) return {};
  if (made.error().kind() == ErrorKind::not_found && path_parent(path) != path) {
    LB_TRY(make_directories(files, path_parent(path), mode));
    made = files.make_directory(path, mode);
    if (made.ok()) return {};
  }
  if (made.error().kind() != ErrorKind::conflict) return made;
  // Something is there already. A link to a folder is as good as a folder.
  auto listed = files.list(cat(path, "/"));
  if (listed.ok() || listed.error().kind() == ErrorKind::denied) return {};
  return made;
}

namespace {

Result<std::vector<DirEntry>> list_even_if_locked(Files& files, const std::string& path) {
  auto listed = files.list(path);
  if (listed.ok() || listed.error().kind() != ErrorKind::denied) return listed;
  // Restored folders may forbid their own reading; their owner can still clear them away.
  LB_TRY(files.set_mode(path, 0700));
  return files.list(path);
}

Status remove_folder(Files& files, const std::string& path, std::uint64_t device) {
  auto facts = LB_TRY(files.info(path));
  if (facts.device != device) {
    return Error(ErrorKind::conflict,
                 cat("remove ", printable(path), ": another file system is mounted there"))
        .with_hint("unmount it first");
  }
  auto entries = LB_TRY(list_even_if_locked(files, path));
  if ((facts.mode & 0300) != 0300 && !entries.empty()) LB_TRY(files.set_mode(path, 0700));
  for (const auto& entry : entries) {
    auto child = path_join(path, entry.name);
    auto removed = entry.kind == FileKind::directory ? remove_folder(files, child, device)
                                                     : files.remove(child);
    if (!removed.ok() && removed.error().kind() != ErrorKind::not_found) return removed;
  }
  return files.remove_directory(path);
}

}  // namespace

Status remove_tree(Files& files, const std::string& path) {
  auto facts = files.info(path);
  if (!facts.ok() && facts.error().kind() == ErrorKind::not_found) return {};
  if (!facts.ok()) return std::move(facts).take_error();
  auto removed = facts->kind != FileKind::directory ? files.remove(path)
                                                    : remove_folder(files, path, facts->device);
  // Somebody else cleared it away meanwhile.
  if (!removed.ok() && removed.error().kind() == ErrorKind::not_found) return {};
  return removed;
}

}  // namespace lb
