#include "stores/files/interrupted.h"

#include "foundation/base/text.h"
#include "stores/files/selection.h"

namespace lb::files {

namespace {

constexpr std::uint64_t mark_bytes_max = 4096;

// Names of the run that ended early, below one folder; links and other file systems are not
// entered.
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

Status sweep_interrupted(Files& files, const std::string& folder, const std::string& mark) {
  auto exists = LB_TRY(path_exists(files, mark));
  if (!exists) return {};
  auto text = LB_TRY(read_file(files, mark, mark_bytes_max));
  auto run = std::string(trim(text_of(text)));
  // Torn or foreign: then no temporary file can bear its name.
  if (run.size() != 16 || !from_hex(run).ok()) return {};
  auto info = LB_TRY(files.info(folder));
  return sweep(files, folder, info.device, cat(own_prefix, "-", run, "-"));
}

// Not by way of a temporary file: a torn mark is harmless, since no file bears its run's name yet.
Status write_mark(Files& files, const std::string& folder, const std::string& mark,
                  const std::string& run) {
  auto old = files.remove(mark);
  if (!old.ok() && old.error().kind() != ErrorKind::not_found) return old;
  auto file = LB_TRY(files.create(mark, 0600));
  LB_TRY(file->append(view_of(run)));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  return files.sync_directory(path_join(folder, "."));
}

}  // namespace

RestoreMark::RestoreMark(Files& files, std::string path, std::string prefix)
    : files_(&files), path_(std::move(path)), prefix_(std::move(prefix)) {}

Result<RestoreMark> RestoreMark::begin(World& world, const std::string& folder) {
  auto mark = path_join(folder, own_prefix);
  LB_TRY(sweep_interrupted(world.files, folder, mark).context("clean up after an earlier restore"));
  auto run = to_hex(world.random.bytes(8));
  LB_TRY(write_mark(world.files, folder, mark, run).context("mark the folder"));
  return RestoreMark(world.files, mark, cat(own_prefix, "-", run, "-"));
}

Status RestoreMark::end() { return files_->remove(path_); }

std::string RestoreMark::temporary_in(const std::string& folder) {
  return path_join(folder, cat(prefix_, ++next_));
}

}  // namespace lb::files
