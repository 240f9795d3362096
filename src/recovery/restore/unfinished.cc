#include "recovery/restore/unfinished.h"

#include "foundation/base/text.h"
#include "foundation/sys/owner.h"
#include "stores/postgres/restore.h"

namespace lb::restore {

namespace {

constexpr std::string_view title = "lifeboat unfinished restore 1";

std::string mark_of(const std::string& folder) { return path_join(folder, pg::unfinished_mark); }

}  // namespace

Result<TargetState> look_at_target(Files& files, const std::string& folder) {
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) return TargetState::free;
  auto entries = LB_TRY(files.list(folder));
  if (entries.empty()) return TargetState::free;
  auto marked = LB_TRY(path_exists(files, mark_of(folder)));
  if (!marked) return TargetState::occupied;
  auto owner = read_owner(files, mark_of(folder), title);
  // A mark that is not whole proves nothing about what lies beside it; alone, it is one that a
  // killed restore did not finish writing.
  if (!owner.ok()) return entries.size() == 1 ? TargetState::unfinished : TargetState::occupied;
  if (owner_gone(files, *owner)) return TargetState::unfinished;
  return Error(ErrorKind::conflict, cat("a restore into ", printable(folder),
                                        " is still running (process ", owner->pid, ")"))
      .with_exit(ExitCode::refused)
      .with_hint("wait for it, or give another folder");
}

Status mark_unfinished(Files& files, const std::string& folder) {
  auto owner = LB_TRY(this_owner(files));
  // Created, never replaced: of two restores into one folder only one gets past this.
  auto file = LB_TRY(files.create(mark_of(folder), 0600).context("mark the target folder"));
  LB_TRY(file->append(view_of(owner_text(title, owner))));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  return files.sync_directory(folder);
}

Status clear_unfinished(Files& files, const std::string& folder) {
  auto entries = LB_TRY(files.list(folder));
  for (const auto& entry : entries) {
    if (entry.name == pg::unfinished_mark) continue;
    LB_TRY(remove_tree(files, path_join(folder, entry.name)));
  }
  return remove_mark(files, folder);
}

Status remove_mark(Files& files, const std::string& folder) {
  LB_TRY(files.remove(mark_of(folder)));
  return files.sync_directory(folder);
}

}  // namespace lb::restore
