// lay_out(): the files of a snapshot become a data directory. Nothing can start on it before the
// very last step: global/pg_control is written under another name and renamed when all else is on
// disk.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "foundation/base/text.h"
#include "stores/postgres/layout_paths.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/source.h"

namespace lb::pg {

namespace {

constexpr std::uint32_t folder_mode = 0700, file_mode = 0600;
// Open files of one batch; its content is bounded by the fetch itself.
constexpr std::size_t batch_rows = 256;

// Receives the content of one batch and writes it in place.
class BatchWriter final : public repo::FetchSink {
 public:
  BatchWriter(Files& files, const LayoutOptions& options, std::vector<std::string> paths,
              const std::vector<repo::Row>& rows, Progress& progress, std::mutex& progress_mutex)
      : files_(files),
        options_(options),
        rows_(rows),
        progress_(progress),
        progress_mutex_(progress_mutex) {
    for (auto& path : paths) entries_.push_back(std::make_unique<Entry>(std::move(path)));
  }

  Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override {
    auto file = LB_TRY(open(row));
    LB_TRY(file->write_at(bytes, offset).context(entries_[row]->path));
    report(bytes.size(), 0, rows_[row].key);
    return {};
  }

  Status done(std::size_t row) override {
    auto file = LB_TRY(open(row));
    auto& entry = *entries_[row];
    LB_TRY(file->truncate(rows_[row].size).context(entry.path));  // a hole at the end
    LB_TRY(file->close().context(entry.path));
    if (options_.change_owner) {
      LB_TRY(files_.set_owner(entry.path, options_.owner.uid, options_.owner.gid));
    }
    std::lock_guard lock(entry.mutex);
    entry.file.reset();
    report(0, 1, rows_[row].key);
    return {};
  }

 private:
  struct Entry {
    explicit Entry(std::string at) : path(std::move(at)) {}
    std::string path;
    std::mutex mutex;
    std::unique_ptr<File> file;
  };

  Result<File*> open(std::size_t row) {
    auto& entry = *entries_[row];
    std::lock_guard lock(entry.mutex);
    if (!entry.file) {
      auto file = LB_TRY(files_.create(entry.path, file_mode));
      entry.file = std::move(file);
    }
    return entry.file.get();
  }

  void report(std::uint64_t bytes, std::uint64_t items, const std::string& key) {
    std::lock_guard lock(progress_mutex_);
    progress_.done_bytes += bytes;
    progress_.items += items;
    progress_.current = key;
    if (options_.progress) options_.progress(progress_);
  }

  Files& files_;
  const LayoutOptions& options_;
  const std::vector<repo::Row>& rows_;
  std::vector<std::unique_ptr<Entry>> entries_;  // mutexes do not move
  Progress& progress_;
  std::mutex& progress_mutex_;
};

class Layout {
 public:
  Layout(World& world, repo::SnapshotReader& snapshot, const LayoutOptions& options,
         std::stop_token stop)
      : files_(world.files),
        snapshot_(snapshot),
        options_(options),
        stop_(stop),
        paths_(options.folder, options.tablespaces) {}

  Result<RestoreOutcome> run() {
    progress_.total_bytes = snapshot_.info().logical_bytes;
    LB_TRY(make_folder(options_.folder));
    LB_TRY(make_own_folders());
    LB_TRY(write_rows());
    if (!has_control_) {
      return Error(ErrorKind::corrupt, "the snapshot holds no global/pg_control")
          .with_exit(ExitCode::damaged);
    }
    LB_TRY(write_labels());
    LB_TRY(sync());
    RestoreOutcome outcome;
    outcome.items = progress_.items;
    outcome.bytes = progress_.done_bytes;
    return outcome;
  }

  // After a failure: what could be mistaken for a finished restore goes away.
  void withdraw() {
    for (const char* name : {"global/pg_control", "global/pg_control.lifeboat"}) {
      (void)files_.remove(path_join(options_.folder, name)).ok();
    }
  }

 private:
  Status give(const std::string& path) {
    if (!options_.change_owner) return {};
    return files_.set_owner(path, options_.owner.uid, options_.owner.gid);
  }

  Status make_folder(const std::string& path) {
    if (!known_folders_.insert(path).second) return {};
    auto there = LB_TRY(path_exists(files_, path));
    if (!there) {
      // Folders above are only on the way: the server's user must be able to pass them.
      LB_TRY(make_directories(files_, path_parent(path), 0755));
      LB_TRY(files_.make_directory(path, folder_mode));
    }
    LB_TRY(files_.set_mode(path, folder_mode));
    return give(path);
  }

  // Folders a server insists on, some of which a backup leaves out.
  Status make_own_folders() {
    for (const char* name : {"base",
                             "global",
                             "pg_commit_ts",
                             "pg_dynshmem",
                             "pg_logical",
                             "pg_logical/mappings",
                             "pg_logical/snapshots",
                             "pg_multixact",
                             "pg_multixact/members",
                             "pg_multixact/offsets",
                             "pg_notify",
                             "pg_replslot",
                             "pg_serial",
                             "pg_snapshots",
                             "pg_stat",
                             "pg_stat_tmp",
                             "pg_subtrans",
                             "pg_tblspc",
                             "pg_twophase",
                             "pg_wal",
                             "pg_wal/archive_status",
                             "pg_xact"}) {
      LB_TRY(make_folder(path_join(options_.folder, name)));
    }
    return {};
  }

  Status make_tablespace(std::uint32_t oid) {
    if (!tablespaces_.insert(oid).second) return {};
    auto location = paths_.tablespace(oid);
    auto there = LB_TRY(path_exists(files_, location));
    if (there) {
      auto entries = LB_TRY(files_.list(location));
      if (!entries.empty()) return refused_folder(location, "is not empty");
    }
    if (location.starts_with(options_.folder + "/")) LB_TRY(make_folder(path_parent(location)));
    LB_TRY(make_folder(location));
    return files_.make_symlink(location, path_join(options_.folder, cat("pg_tblspc/", oid)));
  }

  Status place_row(repo::Row row, std::vector<repo::Row>& batch,
                   std::vector<std::string>& targets) {
    auto attributes = LB_TRY(decode_attributes(row.attributes).context(row.key));
    auto place = LB_TRY(paths_.place(row.key));
    if (place.tablespace) LB_TRY(make_tablespace(*place.tablespace));
    if (place.skip) return {};
    switch (attributes.kind) {
      case FileAttributes::Kind::directory:
        return make_folder(place.path);
      case FileAttributes::Kind::symlink:
        // The server makes such links only for tablespaces and pg_wal; both are ours to lay out.
        return make_folder(place.path);
      case FileAttributes::Kind::file:
        break;
    }
    LB_TRY(make_folder(path_parent(place.path)));
    has_control_ = has_control_ || row.key == "global/pg_control";
    targets.push_back(std::move(place.path));
    batch.push_back(std::move(row));
    return {};
  }

  Status write_rows() {
    auto cursor = LB_TRY(snapshot_.rows());
    std::vector<repo::Row> batch;
    std::vector<std::string> targets;
    for (;;) {
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      auto row = LB_TRY(cursor->next());
      if (row) LB_TRY(place_row(std::move(*row), batch, targets));
      if (batch.size() == batch_rows || (!row && !batch.empty())) {
        BatchWriter writer(files_, options_, std::move(targets), batch, progress_, progress_mutex_);
        LB_TRY(snapshot_.fetch(batch, writer, options_.workers, stop_));
        batch.clear();
        targets.clear();
      }
      if (!row) return {};
    }
  }

  // backup_label makes the server begin at the right place; without it a copy taken online would
  // start silently broken. The tablespace map is left out on purpose: it would point at the old
  // places.
  Status write_labels() {
    auto path = path_join(options_.folder, "backup_label");
    auto there = LB_TRY(path_exists(files_, path));
    if (there) return {};
    auto label = LB_TRY(snapshot_.attachment(attachment_backup_label));
    if (!label) {
      return Error(ErrorKind::corrupt, "the snapshot holds no backup_label")
          .with_exit(ExitCode::damaged);
    }
    auto file = LB_TRY(files_.create(path, file_mode));
    LB_TRY(file->append(*label));
    LB_TRY(file->close());
    return give(path);
  }

  Status sync() {
    auto global = path_join(options_.folder, "global");
    LB_TRY(files_.sync_filesystem(options_.folder));
    for (const auto& [oid, path] : options_.tablespaces) {
      if (tablespaces_.contains(oid)) LB_TRY(files_.sync_filesystem(path));
    }
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    LB_TRY(
        files_.rename(path_join(global, "pg_control.lifeboat"), path_join(global, "pg_control")));
    return files_.sync_directory(global);
  }

  Files& files_;
  repo::SnapshotReader& snapshot_;
  const LayoutOptions& options_;
  std::stop_token stop_;
  LayoutPaths paths_;
  std::set<std::string> known_folders_;
  std::set<std::uint32_t> tablespaces_;
  bool has_control_ = false;
  Progress progress_;
  std::mutex progress_mutex_;
};

}  // namespace

Status refused_folder(const std::string& folder, std::string_view why) {
  return Error(ErrorKind::denied, cat(printable(folder), " ", why))
      .with_exit(ExitCode::refused)
      .with_hint("restore into a new or empty folder; Lifeboat never overwrites a data directory");
}

Status check_target_empty(Files& files, const std::string& folder) {
  if (folder.empty() || folder[0] != '/') {
    return Error(ErrorKind::invalid, cat("'", printable(folder), "' is not an absolute path"));
  }
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) return {};
  auto info = LB_TRY(files.info(folder));
  if (info.kind != FileKind::directory) return refused_folder(folder, "is not a folder");
  auto entries = LB_TRY(files.list(folder));
  for (const auto& entry : entries) {
    if (entry.name != "postmaster.pid") continue;
    return refused_folder(folder, "holds postmaster.pid: a server may be running on it");
  }
  for (const auto& entry : entries) {
    if (entry.name != unfinished_mark) return refused_folder(folder, "is not empty");
  }
  return {};
}

Result<RestoreOutcome> lay_out(World& world, repo::SnapshotReader& snapshot,
                               const LayoutOptions& options, std::stop_token stop) {
  LB_TRY(check_target_empty(world.files, options.folder));
  Layout layout(world, snapshot, options, stop);
  auto outcome = layout.run();
  if (outcome.ok()) return outcome;
  layout.withdraw();
  auto error = std::move(outcome).take_error();
  return std::move(error).with_left(
      cat("an unfinished copy in ", printable(options.folder), " that no server can start on"));
}

}  // namespace lb::pg
