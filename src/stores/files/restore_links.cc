// RestoreRun: hard links, made when the content of the first name is in place.
#include "foundation/base/text.h"
#include "stores/files/restore_run.h"

namespace lb::files {

Status RestoreRun::place_link(StreamedRow row) {
  auto first = row.attributes.hard_link_to;
  auto clean = path_below_root(first);
  if (!clean.ok() || *clean != first || first.empty()) {
    return Error(ErrorKind::corrupt, cat("snapshot row '", printable(row.path),
                                         "': a hard link to outside of the root"));
  }
  if (filter_.wants(first)) {
    links_.push_back({std::move(row.path), std::move(first)});
    return {};
  }
  // The first name is not restored now: the first that is takes the content, the others link to it.
  auto stand_in = stand_ins_.find(first);
  if (stand_in != stand_ins_.end()) {
    links_.push_back({std::move(row.path), stand_in->second});
    return {};
  }
  stand_ins_.emplace(first, row.path);
  return copy_of_link({row.path, first});
}

// The content of the first name under this name.
Status RestoreRun::copy_of_link(const Link& link) {
  auto found = LB_TRY(snapshot_.find(key_of(link.first)));
  if (!found) {
    return Error(ErrorKind::corrupt, cat("snapshot row '", printable(link.path),
                                         "': a hard link to a file that is not in it"));
  }
  StreamedRow row;
  row.attributes = LB_TRY(decode_attributes(found->attributes));
  row.row = std::move(*found);
  row.path = link.path;
  if (row.attributes.kind != FileKind::regular || !row.attributes.hard_link_to.empty()) {
    return Error(ErrorKind::corrupt,
                 cat("snapshot row '", printable(link.path), "': a hard link to what is no file"));
  }
  if (!row.attributes.complete) {
    ++incomplete_;
    return {};
  }
  return place_file(std::move(row));
}

Status RestoreRun::make_links() {
  auto links = std::move(links_);
  links_.clear();
  for (const auto& link : links) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "the restore was stopped");
    LB_TRY(make_link(link));
  }
  return {};
}

Status RestoreRun::make_link(const Link& link) {
  LB_TRY(check_folders_above(link.first));
  auto full = full_of(link.path), first = full_of(link.first);
  auto source = files_.info(first);
  if (!source.ok() || source->kind != FileKind::regular) {
    if (!source.ok() && source.error().kind() != ErrorKind::not_found) {
      return std::move(source).take_error();
    }
    blocked_.push_back(link.path);
    return {};
  }
  std::optional<FileInfo> now;
  auto clear = LB_TRY(clear_way(full, link.path, now));
  if (!clear) return {};
  bool linked = now && now->inode == source->inode && now->device == source->device;
  if (!linked) {
    auto temporary = mark_->temporary_in(path_parent(full));
    auto made = files_.link(first, temporary);
    if (!made.ok()) {
      // Too many links, another file system, or one without hard links.
      ++copied_links_;
      return copy_of_link(link);
    }
    auto renamed = files_.rename(temporary, full);
    if (!renamed.ok()) {
      (void)files_.remove(temporary);  // best effort; the next restore sweeps it
      return renamed;
    }
  }
  meter_.item(link.path);
  return {};
}

// Every folder on the way is a real one: through a link the way would lead out of the target.
Status RestoreRun::check_folders_above(const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    auto folder = path.substr(0, slash);
    auto info = LB_TRY(files_.info(full_of(folder)));
    if (info.kind == FileKind::directory) continue;
    return Error(ErrorKind::conflict, cat("'", printable(folder), "' is no folder any more"));
  }
  return {};
}

}  // namespace lb::files
