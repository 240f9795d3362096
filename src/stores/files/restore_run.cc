#include "stores/files/restore_run.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::size_t batch_rows_max = 4096;
constexpr std::uint64_t batch_bytes_max = 1 << 30;  // at the end of each, workers wait for the last
constexpr char acl_default[] = "system.posix_acl_default";

std::uint64_t total_of(const repo::SnapshotReader& snapshot, const PathFilter& filter) {
  return filter.all() ? snapshot.info().logical_bytes : 0;
}

Error stopped() { return Error(ErrorKind::cancelled, "the restore was stopped"); }

std::string examples(const std::vector<std::string>& paths) {
  std::vector<std::string> shown;
  for (const auto& path : paths) {
    if (shown.size() == 5) break;
    shown.push_back(printable(path));
  }
  return cat(join(shown, ", "), paths.size() > shown.size() ? ", …" : "");
}

}  // namespace

RestoreRun::RestoreRun(World& world, repo::SnapshotReader& snapshot, const RestoreOptions& options,
                       PathFilter filter, const std::vector<std::string>& deletions,
                       std::stop_token stop)
    : world_(world),
      files_(world.files),
      snapshot_(snapshot),
      options_(options),
      filter_(std::move(filter)),
      deletions_(deletions),
      stop_(stop),
      attributes_(world.files, {options.owners, options.owner_override}),
      meter_(world.clock, options.progress, total_of(snapshot, filter_)) {}

Result<RestoreOutcome> RestoreRun::run() {
  auto rows = LB_TRY(RowStream::open(snapshot_, filter_));
  auto done = prepare_root();
  if (done.ok()) done = go_through(*rows);
  if (done.ok()) done = delete_foreign();
  if (done.ok()) done = sync();
  if (!done.ok()) {
    return std::move(done)
        .take_error()
        .context(cat("restore into ", printable(options_.folder)))
        .with_left(cat(human_count(meter_.items()), " items are in place in ",
                       printable(options_.folder), ", the rest is not"))
        .with_hint("run the same restore again: it goes on where this one ended");
  }
  meter_.finish();
  if (!blocked_.empty()) {
    return Error(
               ErrorKind::conflict,
               cat(blocked_.size(), " items were not restored, something else is in their place: ",
                   examples(blocked_)))
        .with_left("everything else is restored")
        .with_hint("move that away and run the restore again, or restore into another folder");
  }
  return RestoreOutcome{meter_.items(), meter_.done_bytes(), warnings()};
}

std::vector<std::string> RestoreRun::warnings() const {
  auto out = attributes_.warnings();
  auto say = [&](std::uint64_t count, std::string_view text) {
    if (count > 0) out.push_back(cat(human_count(count), " ", text));
  };
  say(specials_denied_, "device files could not be made: not permitted (run as root)");
  say(incomplete_, "files were unreadable when the backup ran: there is nothing to restore");
  say(copied_links_, "hard links were restored as copies: the file system refused the link");
  if (!replaced_.empty()) {
    out.push_back(cat(replaced_.size(), " links or files gave way to the folder of that name: ",
                      examples(replaced_)));
  }
  if (!not_empty_.empty()) {
    out.push_back(cat(not_empty_.size(),
                      " folders to delete were not empty and stayed: ", examples(not_empty_)));
  }
  return out;
}

std::string RestoreRun::full_of(const std::string& path) const {
  return path.empty() ? path_join(options_.folder, ".") : path_join(options_.folder, path);
}

Status RestoreRun::prepare_root() {
  auto there = LB_TRY(path_exists(files_, full_of("")));
  if (!there) {
    LB_TRY(make_directories(files_, path_parent(options_.folder), 0755));
    LB_TRY(files_.make_directory(options_.folder, 0700));
  }
  mark_ = LB_TRY(RestoreMark::begin(world_, options_.folder, filter_));
  return {};
}

Status RestoreRun::go_through(RowStream& rows) {
  for (;;) {
    if (stop_.stop_requested()) return stopped();
    auto row = LB_TRY(rows.next());
    if (!row) break;
    LB_TRY(place(std::move(*row)));
    bool full = batch_.size() >= batch_rows_max || batch_bytes_ >= batch_bytes_max ||
                links_.size() >= batch_rows_max || finished_.size() >= batch_rows_max;
    if (full) LB_TRY(flush());
  }
  while (!folders_.empty()) {
    finished_.push_back(std::move(folders_.back()));
    folders_.pop_back();
  }
  return flush();
}

Status RestoreRun::place(StreamedRow row) {
  if (!row.path.empty()) leave_folders(row.path);
  auto slash = row.path.rfind('/');
  auto parent = slash == std::string::npos ? std::string() : row.path.substr(0, slash);
  if (!row.path.empty() && (folders_.empty() || folders_.back().path != parent)) {
    return Error(ErrorKind::corrupt,
                 cat("snapshot row '", printable(row.path), "': its folder is missing"));
  }
  if (row.attributes.kind == FileKind::directory) return place_folder(std::move(row));
  if (row.path.empty()) return Error(ErrorKind::corrupt, "the root of the snapshot is no folder");
  if (!row.attributes.complete) {
    ++incomplete_;
    return {};
  }
  if (row.attributes.kind != FileKind::regular) return place_other(row);
  if (!row.attributes.hard_link_to.empty()) return place_link(std::move(row));
  return place_file(std::move(row));
}

void RestoreRun::leave_folders(const std::string& path) {
  while (!folders_.empty() && !is_within(path, folders_.back().path)) {
    finished_.push_back(std::move(folders_.back()));
    folders_.pop_back();
  }
}

Status RestoreRun::place_folder(StreamedRow row) {
  Folder folder;
  folder.full = full_of(row.path);
  auto existed = LB_TRY(make_way_for_folder(folder.full, row.path));
  folder.fresh = !existed;
  if (existed) {
    auto info = LB_TRY(files_.info(folder.full));
    auto xattrs = files_.list_xattrs(folder.full);
    folder.hands_down =
        xattrs.ok() && std::find(xattrs->begin(), xattrs->end(), acl_default) != xattrs->end();
    // One may not write into it until its own mode comes back at the end.
    if ((info.mode & 0700) != 0700 && !row.ancestor) {
      (void)files_.set_mode(folder.full, info.mode | 0700);  // not permitted: the writes will tell
    }
    auto& device = devices_[info.device];
    if (device == nullptr) device = LB_TRY(files_.watch_filesystem(folder.full));
  } else {
    folder.hands_down = hands_down();
  }
  folder.untouched = existed && row.ancestor;
  if (row.path.empty() && !folder.untouched) root_mtime_ns_ = row.attributes.mtime_ns;
  folder.path = std::move(row.path);
  folder.attributes = std::move(row.attributes);
  folders_.push_back(std::move(folder));
  return {};
}

// True when the folder was there; else it is made. What is no folder gives way: a link to one too,
// or the restore would write outside the target.
Result<bool> RestoreRun::make_way_for_folder(const std::string& full, const std::string& path) {
  if (path.empty()) return true;
  if (in_fresh_folder(path)) {
    LB_TRY(files_.make_directory(full, 0700));
    return false;
  }
  auto info = files_.info(full);
  if (info.ok() && info->kind == FileKind::directory) return true;
  if (info.ok()) {
    replaced_.push_back(path);
    LB_TRY(files_.remove(full));
  } else if (info.error().kind() != ErrorKind::not_found) {
    return std::move(info).take_error();
  }
  LB_TRY(files_.make_directory(full, 0700));
  return false;
}

Status RestoreRun::flush() {
  do {
    if (!batch_.empty()) {
      ContentSink sink(files_, attributes_, meter_, placements_);
      LB_TRY(snapshot_.fetch(batch_, sink, options_.workers, stop_));
    }
    batch_.clear();
    placements_.clear();
    batch_bytes_ = 0;
    LB_TRY(make_links());  // a link that cannot be made becomes content again
  } while (!batch_.empty());
  return finish_folders();
}

Status RestoreRun::finish_folders() {
  for (const auto& folder : finished_) {
    if (folder.untouched) continue;
    LB_TRY(attributes_.apply(folder.full, folder.attributes, folder.hands_down));
    meter_.item(folder.path);
  }
  finished_.clear();
  return {};
}

Status RestoreRun::sync() {
  for (const auto& [number, device] : devices_) LB_TRY(device->sync());
  LB_TRY(mark_->end());
  // The mark lay in the root and its removal changed the root's time.
  return root_mtime_ns_ ? files_.set_mtime(full_of(""), *root_mtime_ns_) : Status();
}

}  // namespace lb::files
