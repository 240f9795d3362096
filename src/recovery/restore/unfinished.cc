#include "recovery/restore/unfinished.h"

#include "foundation/base/text.h"
#include "foundation/sys/owner.h"
#include "stores/postgres/restore.h"

namespace lb::restore {

namespace {

constexpr std::string_view title = "lifeboat unfinished restore 1";
constexpr std::uint64_t mark_bytes_max = 64 << 10;
constexpr std::size_t owner_lines = 5;

std::string mark_of(const std::string& folder) { return path_join(folder, pg::unfinished_mark); }
// The mark of an ended restore while another takes its place.
std::string old_mark_of(const std::string& folder) { return cat(mark_of(folder), ".old"); }

// The mark, or what a take-over that was killed left of it; empty when there is none.
Result<std::string> find_mark(Files& files, const std::string& folder) {
  for (auto path : {mark_of(folder), old_mark_of(folder)}) {
    auto there = LB_TRY(path_exists(files, path));
    if (there) return path;
  }
  return std::string();
}

Error still_running(const std::string& folder, const std::string& who) {
  return Error(ErrorKind::conflict,
               cat("a restore into ", printable(folder), " is still running", who))
      .with_exit(ExitCode::refused)
      .with_hint("wait for it, or give another folder");
}

}  // namespace

Result<TargetState> look_at_target(Files& files, const std::string& folder) {
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) return TargetState::free;
  auto entries = LB_TRY(files.list(folder));
  if (entries.empty()) return TargetState::free;
  auto mark = LB_TRY(find_mark(files, folder));
  if (mark.empty()) return TargetState::occupied;
  auto owner = read_owner(files, mark, title);
  // A mark that is not whole proves nothing about what lies beside it; alone, it is one that a
  // killed restore did not finish writing.
  if (!owner.ok()) return entries.size() == 1 ? TargetState::unfinished : TargetState::occupied;
  if (owner_gone(files, *owner)) return TargetState::unfinished;
  return still_running(folder, cat(" (process ", owner->pid, ")"));
}

Status mark_unfinished(Files& files, const std::string& folder, const std::string& wish) {
  auto owner = LB_TRY(this_owner(files));
  // Created, never replaced: of two restores into one folder only one gets past this.
  auto file = LB_TRY(files.create(mark_of(folder), 0600).context("mark the target folder"));
  LB_TRY(file->append(view_of(cat(owner_text(title, owner), printable(wish), "\n"))));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  return files.sync_directory(folder);
}

Result<std::string> unfinished_wish(Files& files, const std::string& folder) {
  auto mark = LB_TRY(find_mark(files, folder));
  if (mark.empty()) return std::string();
  auto bytes = LB_TRY(read_file(files, mark, mark_bytes_max));
  auto lines = split(text_of(bytes), '\n');
  return lines.size() > owner_lines ? lines[owner_lines] : std::string();
}

Status take_over_unfinished(Files& files, const std::string& folder, const std::string& wish) {
  auto old = old_mark_of(folder);
  auto moved = files.rename(mark_of(folder), old);
  if (!moved.ok() && moved.error().kind() != ErrorKind::not_found) return moved;
  // Between our look and now another may have put its own mark there: that one goes back.
  auto owner = read_owner(files, old, title);
  if (owner.ok() && !owner_gone(files, *owner)) {
    (void)files.link(old, mark_of(folder)).ok();
    (void)files.remove(old).ok();
    return still_running(folder, {});
  }
  auto marked = mark_unfinished(files, folder, wish);
  if (!marked.ok() && marked.error().kind() == ErrorKind::conflict)
    return still_running(folder, {});
  LB_TRY(std::move(marked));
  auto there = LB_TRY(path_exists(files, old));
  return there ? files.remove(old) : Status();
}

Status remove_mark(Files& files, const std::string& folder) {
  LB_TRY(files.remove(mark_of(folder)));
  return files.sync_directory(folder);
}

}  // namespace lb::restore
