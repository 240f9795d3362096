#include "stores/files/interrupted.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/files/selection.h"

namespace lb::files {

namespace {

constexpr std::uint64_t mark_bytes_max = 64 << 20;
constexpr std::size_t run_digits = 16;

// Temporary files of the run that ended early, below one folder; links and other file systems are
// not entered.
Status sweep(Files& files, const std::string& folder, std::uint64_t device,
             const std::string& prefix) {
  auto entries = files.list(folder);
  if (!entries.ok()) return {};  // it could not have been written into
  for (const auto& entry : *entries) {
    auto path = path_join(folder, entry.name);
    if (entry.name.starts_with(prefix)) {
      LB_TRY(files.remove(path));
    } else if (entry.kind == FileKind::directory) {
      auto info = LB_TRY(files.info(path));
      if (info.device == device) LB_TRY(sweep(files, path, device, prefix));
    }
  }
  return {};
}

}  // namespace

std::string RestoreMark::path() const { return path_join(folder_, own_prefix); }

std::string RestoreMark::prefix_of(const std::string& run) const {
  return cat(own_prefix, "-", run, "-");
}

Result<RestoreMark> RestoreMark::begin(World& world, const std::string& folder,
                                       const PathFilter& filter) {
  RestoreMark out(world.files, folder);
  out.run_ = to_hex(world.random.bytes(run_digits / 2));
  LB_TRY(out.read_earlier().context("look for an earlier restore"));
  if (!out.earlier_run_.empty()) {
    auto info = LB_TRY(world.files.info(path_join(folder, ".")));
    LB_TRY(sweep(world.files, folder, info.device, out.prefix_of(out.earlier_run_))
               .context("clean up after an earlier restore"));
  }
  for (const auto& path : out.doubtful_) {
    if (!filter.wants(path)) out.remain_.push_back(path);
  }
  auto now = filter.all() ? std::vector<std::string>{""} : filter.paths();
  now.insert(now.end(), out.remain_.begin(), out.remain_.end());
  LB_TRY(out.write(now).context("mark the folder"));
  return out;
}

Status RestoreMark::end() {
  if (remain_.empty()) return files_->remove(path());
  return write(remain_);
}

bool RestoreMark::in_doubt(const std::string& path) const {
  return std::any_of(doubtful_.begin(), doubtful_.end(),
                     [&](const auto& folder) { return is_within(path, folder); });
}

std::string RestoreMark::temporary_in(const std::string& folder) {
  return path_join(folder, cat(prefix_of(run_), ++next_));
}

// The first line is the run, each further one a path in hexadecimal.
Status RestoreMark::read_earlier() {
  auto exists = LB_TRY(path_exists(*files_, path()));
  if (!exists) return {};
  auto text = LB_TRY(read_file(*files_, path(), mark_bytes_max));
  auto lines = split(text_of(text), '\n');
  bool whole = lines.size() >= 3 && lines.back().empty() && lines[0].size() == run_digits &&
               from_hex(lines[0]).ok();
  // A torn mark: its run had not begun, but there may have been one before.
  doubtful_ = {""};
  if (!whole) return {};
  earlier_run_ = lines[0];
  std::vector<std::string> paths;
  for (std::size_t n = 1; n + 1 < lines.size(); ++n) {
    auto path = from_hex(lines[n]);
    if (!path.ok()) return {};
    paths.emplace_back(text_of(*path));
  }
  doubtful_ = std::move(paths);
  return {};
}

// Beside and renamed, so that the mark of an interrupted run is never lost for a torn new one.
Status RestoreMark::write(const std::vector<std::string>& paths) {
  auto text = cat(run_, "\n");
  for (const auto& path : paths) text += cat(to_hex(view_of(path)), "\n");
  auto fresh = path_join(folder_, cat(own_prefix, "-mark"));
  auto old = files_->remove(fresh);
  if (!old.ok() && old.error().kind() != ErrorKind::not_found) return old;
  auto file = LB_TRY(files_->create(fresh, 0600));
  LB_TRY(file->append(view_of(text)));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  LB_TRY(files_->rename(fresh, path()));
  return files_->sync_directory(path_join(folder_, "."));
}

}  // namespace lb::files
