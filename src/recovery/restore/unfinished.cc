#include "recovery/restore/unfinished.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/owner.h"
#include "stores/postgres/restore.h"

namespace lb::restore {

namespace {

constexpr std::string_view title = "lifeboat unfinished restore 1";
constexpr std::uint64_t mark_bytes_max = 64 << 10;
constexpr std::size_t owner_lines = 5;

std::string mark_of(const std::string& folder) { return path_join(folder, pg::unfinished_mark); }

std::string beside_mark(const std::string& folder, const std::string& name) {
  return path_join(folder, cat(pg::unfinished_mark_beside, name));
}

bool is_beside_mark(const DirEntry& entry) {
  return entry.name.starts_with(pg::unfinished_mark_beside);
}

Error still_running(const std::string& folder, const std::string& who) {
  return Error(ErrorKind::conflict,
               cat("a restore into ", printable(folder), " is still running", who))
      .with_exit(ExitCode::refused)
      .with_hint("wait for it, or give another folder");
}

Status remove_if_there(Files& files, const std::string& path) {
  auto removed = files.remove(path);
  return !removed.ok() && removed.error().kind() == ErrorKind::not_found ? Status() : removed;
}

// Only whoever has the mark does so: another's on its way cannot get the name any more.
Status remove_beside(Files& files, const std::string& folder) {
  auto entries = LB_TRY(files.list(folder));
  for (const auto& entry : entries) {
    if (is_beside_mark(entry)) LB_TRY(remove_if_there(files, path_join(folder, entry.name)));
  }
  return {};
}

// Created, never replaced: of two restores into one folder only one gets past this.
Status name_first(Files& files, const std::string& fresh, const std::string& folder) {
  auto linked = files.link(fresh, mark_of(folder));
  if (linked.ok()) return linked;
  if (linked.error().kind() == ErrorKind::conflict) return still_running(folder, {});
  // Whoever has the mark removed ours on its way.
  auto taken = LB_TRY(path_exists(files, mark_of(folder)));
  bool swept = taken && linked.error().kind() == ErrorKind::not_found;
  return swept ? Status(still_running(folder, {})) : linked;
}

Status write_mark(Files& files, const std::string& path, const std::string& text) {
  LB_TRY(remove_if_there(files, path));  // of an earlier attempt of this process
  auto file = LB_TRY(files.create(path, 0600));
  LB_TRY(file->append(view_of(text)));
  LB_TRY(file->sync());
  return file->close();
}

enum class Mark { first, instead };

// Written beside and named when it is whole: a kill leaves it or what was there, no part of it.
Status put_mark(Files& files, const std::string& folder, const std::string& wish, Mark how) {
  auto owner = LB_TRY(this_owner(files));
  // Told apart by process, so that nobody writes into that of another.
  auto fresh = beside_mark(
      folder, cat("new-", owner.pid, "-", owner.started, "-", owner.boot, "-", owner.pids));
  auto put = write_mark(files, fresh, cat(owner_text(title, owner), printable(wish), "\n"));
  if (put.ok()) {
    put = how == Mark::first ? name_first(files, fresh, folder)
                             : files.rename(fresh, mark_of(folder));
  }
  auto removed = remove_if_there(files, fresh);
  LB_TRY(std::move(put).context("mark the target folder"));
  LB_TRY(std::move(removed));
  return files.sync_directory(folder);
}

}  // namespace

Result<TargetState> look_at_target(Files& files, const std::string& folder) {
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) return TargetState::free;
  auto entries = LB_TRY(files.list(folder));
  entries.erase(std::remove_if(entries.begin(), entries.end(), is_beside_mark), entries.end());
  if (entries.empty()) return TargetState::free;
  auto marked = LB_TRY(path_exists(files, mark_of(folder)));
  if (!marked) return TargetState::occupied;
  auto owner = read_owner(files, mark_of(folder), title);
  // A mark that is not whole proves nothing about what lies beside it; alone, it is one that a
  // killed restore did not finish writing.
  if (!owner.ok()) return entries.size() == 1 ? TargetState::unfinished : TargetState::occupied;
  if (owner_gone(files, *owner)) return TargetState::unfinished;
  return still_running(folder, cat(" (process ", owner->pid, ")"));
}

Status mark_unfinished(Files& files, const std::string& folder, const std::string& wish) {
  LB_TRY(put_mark(files, folder, wish, Mark::first));
  return remove_beside(files, folder);
}

Result<std::string> unfinished_wish(Files& files, const std::string& folder) {
  auto marked = LB_TRY(path_exists(files, mark_of(folder)));
  if (!marked) return std::string();
  auto bytes = LB_TRY(read_file(files, mark_of(folder), mark_bytes_max));
  auto lines = split(text_of(bytes), '\n');
  return lines.size() > owner_lines ? lines[owner_lines] : std::string();
}

Status take_over_unfinished(Files& files, const std::string& folder, const std::string& wish) {
  // Marks are replaced under the lock alone, so it is the one judged here that goes.
  auto lock = files.lock(beside_mark(folder, "lock"));
  if (!lock.ok() && lock.error().kind() == ErrorKind::conflict) return still_running(folder, {});
  auto locked = LB_TRY(std::move(lock));
  auto owner = read_owner(files, mark_of(folder), title);
  if (owner.ok() && !owner_gone(files, *owner))
    return still_running(folder, cat(" (process ", owner->pid, ")"));
  if (owner.ok()) return put_mark(files, folder, wish, Mark::instead);
  bool torn = owner.error().kind() == ErrorKind::corrupt;
  bool missing = owner.error().kind() == ErrorKind::not_found;
  if (!torn && !missing) return owner.error();
  return put_mark(files, folder, wish, missing ? Mark::first : Mark::instead);
}

Status remove_mark(Files& files, const std::string& folder) {
  LB_TRY(remove_beside(files, folder));
  LB_TRY(files.remove(mark_of(folder)));
  return files.sync_directory(folder);
}

}  // namespace lb::restore
