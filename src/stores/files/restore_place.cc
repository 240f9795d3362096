// RestoreRun: one row that is no folder into its place.
#include "foundation/base/text.h"
#include "stores/files/restore_run.h"

namespace lb::files {

Result<bool> RestoreRun::clear_way(const std::string& full, const std::string& path,
                                   std::optional<FileInfo>& now) {
  if (in_fresh_folder(path)) return true;
  auto info = files_.info(full);
  if (!info.ok()) {
    if (info.error().kind() == ErrorKind::not_found) return true;
    return std::move(info).take_error();
  }
  if (info->kind != FileKind::directory) {
    now = *info;
    return true;
  }
  LB_TRY(delete_below(path));
  auto removed = files_.remove_directory(full);
  if (removed.ok()) return true;
  if (removed.error().kind() != ErrorKind::conflict) return std::move(removed).take_error();
  blocked_.push_back(path);
  return false;
}

// Whether what is there already gets its recorded attributes again.
bool RestoreRun::corrects(const std::string& path) const {
  return options_.mode == RestoreMode::exact || mark_->in_doubt(path);
}

Status RestoreRun::place_file(StreamedRow row) {
  auto full = full_of(row.path);
  std::optional<FileInfo> now;
  auto clear = LB_TRY(clear_way(full, row.path, now));
  if (!clear) return {};
  if (now) {
    auto there = LB_TRY(is_there(row, full, *now));
    if (there) {
      if (corrects(row.path)) LB_TRY(attributes_.apply(full, row.attributes, false));
      meter_.item(row.path);
      return {};
    }
  }
  return queue_content(std::move(row), full);
}

// Merging trusts size and time, unless an earlier restore was cut off here. An exact restore trusts
// neither: it compares every byte, and writes a file with several names anew, since one of them may
// lie outside of what is restored.
Result<bool> RestoreRun::is_there(const StreamedRow& row, const std::string& full,
                                  const FileInfo& now) {
  if (now.kind != FileKind::regular || now.size != row.row.size ||
      now.mtime_ns != row.attributes.mtime_ns) {
    return false;
  }
  if (options_.mode == RestoreMode::merge) {
    return mark_->in_doubt(row.path) ? same_content(row.row, full) : Result<bool>(true);
  }
  if (now.links > 1) return false;
  auto same = LB_TRY(same_xattrs(row.attributes, full));
  if (!same) return false;
  return same_content(row.row, full);
}

Result<bool> RestoreRun::same_content(const repo::Row& row, const std::string& full) {
  auto file = LB_TRY(files_.open_read(full));
  return snapshot_.same_content(
      row, [&](MutableBytes out, std::uint64_t offset) { return file->read_at(out, offset); });
}

Result<bool> RestoreRun::same_xattrs(const Attributes& attributes, const std::string& full) {
  auto names = LB_TRY(files_.list_xattrs(full));
  if (names.size() != attributes.xattrs.size()) return false;
  for (std::size_t n = 0; n < names.size(); ++n) {
    const auto& [name, value] = attributes.xattrs[n];
    if (names[n] != name) return false;
    auto now = LB_TRY(files_.get_xattr(full, name));
    if (now != value) return false;
  }
  return true;
}

Status RestoreRun::queue_content(StreamedRow row, const std::string& full) {
  placements_.emplace_back(row.path, full, mark_->temporary_in(path_parent(full)),
                           std::move(row.attributes));
  auto& placement = placements_.back();
  placement.size = row.row.size;
  for (const auto& extent : row.row.extents) placement.holes = placement.holes || extent.hole;
  placement.drop_inherited = hands_down();
  batch_bytes_ += row.row.size;
  batch_.push_back(std::move(row.row));
  return {};
}

Status RestoreRun::place_other(const StreamedRow& row) {
  const auto& wanted = row.attributes;
  auto full = full_of(row.path);
  std::optional<FileInfo> now;
  auto clear = LB_TRY(clear_way(full, row.path, now));
  if (!clear) return {};
  bool there = now && now->kind == wanted.kind && now->special == wanted.special;
  if (there && wanted.kind == FileKind::symlink) {
    auto target = LB_TRY(files_.read_link(full));
    there = target == wanted.link_target;
  }
  if (!there) return make_other(row, mark_->temporary_in(path_parent(full)));
  if (corrects(row.path)) LB_TRY(attributes_.apply(full, wanted, false));
  meter_.item(row.path);
  return {};
}

Status RestoreRun::make_other(const StreamedRow& row, const std::string& temporary) {
  const auto& wanted = row.attributes;
  bool is_device = wanted.kind == FileKind::block || wanted.kind == FileKind::character;
  auto made = wanted.kind == FileKind::symlink
                  ? files_.make_symlink(wanted.link_target, temporary)
                  : files_.make_special(temporary, wanted.kind, 0600, wanted.special);
  if (!made.ok()) {
    if (!is_device || made.error().kind() != ErrorKind::denied) return made;
    ++specials_denied_;
    return {};
  }
  auto done = attributes_.apply(temporary, wanted, hands_down());
  if (done.ok()) done = files_.rename(temporary, full_of(row.path));
  if (!done.ok()) {
    (void)files_.remove(temporary);  // best effort; the next restore sweeps it
    return done;
  }
  meter_.item(row.path);
  return {};
}

}  // namespace lb::files
