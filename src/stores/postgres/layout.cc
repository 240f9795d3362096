// lay_out(): the files of a snapshot become a data directory. Nothing can start on it before the
// very last step: global/pg_control is written under another name and renamed when all else is on
// disk. Over what is there already it goes first.
#include <array>
#include <memory>
#include <set>
#include <vector>

#include "foundation/base/text.h"
#include "stores/postgres/batch_writer.h"
#include "stores/postgres/folder_sweep.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/source.h"
#include "stores/postgres/target_folder.h"

namespace lb::pg {

namespace {

constexpr std::uint32_t folder_mode = 0700, file_mode = 0600;
// Of one batch: open files, and what is known of their chunks.
constexpr std::size_t batch_rows_max = 256, batch_extents_max = 128 << 10;

// Folders a server insists on, some of which a backup leaves out.
constexpr std::array own_folders = {"base",
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
                                    "pg_xact"};

// Rows that are written together.
struct Batch {
  std::vector<repo::Row> rows;
  std::vector<std::string> paths;
  std::size_t extents = 0;

  bool full() const { return rows.size() >= batch_rows_max || extents >= batch_extents_max; }
};

class Layout {
 public:
  Layout(World& world, repo::SnapshotReader& snapshot, const LayoutOptions& options,
         std::stop_token stop)
      : files_(world.files),
        snapshot_(snapshot),
        options_(options),
        stop_(stop),
        paths_(options.folder, options.tablespaces),
        sweep_(files_, paths_),
        progress_(snapshot.info().logical_bytes, options.progress) {}

  Result<RestoreOutcome> run() {
    LB_TRY(make_folder(options_.folder));
    watched_.push_back(LB_TRY(files_.watch_filesystem(options_.folder)));
    if (options_.over_present) LB_TRY(take_over());
    for (const char* name : own_folders) LB_TRY(make_folder(path_join(options_.folder, name)));
    LB_TRY(write_rows());
    if (!has_control_) {
      return Error(ErrorKind::corrupt, "the snapshot holds no global/pg_control")
          .with_exit(ExitCode::damaged);
    }
    LB_TRY(write_label());
    if (options_.over_present) LB_TRY(sweep_.finish());
    LB_TRY(sync());
    return progress_.outcome();
  }

  // What could be mistaken for a finished restore goes away.
  Status withdraw() {
    for (const char* name : {"global/pg_control", "global/pg_control.lifeboat"}) {
      auto removed = files_.remove(path_join(options_.folder, name));
      if (!removed.ok() && removed.error().kind() != ErrorKind::not_found) return removed;
    }
    return {};
  }

 private:
  // From here on nothing can start in the folder.
  Status take_over() {
    auto global = path_join(options_.folder, "global");
    LB_TRY(make_folder(global));
    auto control = path_join(global, "pg_control");
    LB_TRY(remove_tree(files_, control));
    LB_TRY(files_.sync_directory(global));
    for (const char* name : own_folders) sweep_.keep_folder(name);
    for (auto name :
         {unfinished_mark, std::string_view("backup_label"),
          std::string_view("global/pg_control.lifeboat"), std::string_view("lost+found")}) {
      sweep_.keep(std::string(name));
    }
    return {};
  }

  Status give(const std::string& path) {
    if (!options_.change_owner) return {};
    return files_.set_owner(path, options_.owner.uid, options_.owner.gid);
  }

  Status make_folder(const std::string& path) {
    if (!known_folders_.insert(path).second) return {};
    // A link on the way would lead out of the target.
    if (path.starts_with(options_.folder + "/")) LB_TRY(make_folder(path_parent(path)));
    auto there = LB_TRY(is_folder(path));
    if (!there) {
      // Folders above are only on the way: the server's user must be able to pass them.
      LB_TRY(make_directories(files_, path_parent(path), 0755));
      LB_TRY(files_.make_directory(path, folder_mode));
    }
    LB_TRY(files_.set_mode(path, folder_mode));
    return give(path);
  }

  // Anything else of that name goes.
  Result<bool> is_folder(const std::string& path) {
    auto there = LB_TRY(path_exists(files_, path));
    if (!there) return false;
    auto info = LB_TRY(files_.info(path));
    if (info.kind == FileKind::directory) return true;
    if (!options_.over_present) return refused_folder(path, "is not a folder").error();
    LB_TRY(files_.remove(path));
    return false;
  }

  Status make_tablespace(std::uint32_t oid) {
    if (!tablespaces_.insert(oid).second) return {};
    auto location = paths_.tablespace(oid);
    auto there = LB_TRY(path_exists(files_, location));
    if (there && !options_.over_present) {
      auto entries = LB_TRY(files_.list(location));
      if (!entries.empty()) return refused_folder(location, "is not empty");
    }
    LB_TRY(make_folder(location));
    if (paths_.is_mapped(oid)) {
      watched_.push_back(LB_TRY(files_.watch_filesystem(location)));
    } else {
      sweep_.keep(cat(tablespaces_folder, "/", oid));
    }
    auto link = path_join(options_.folder, cat("pg_tblspc/", oid));
    auto leads = files_.read_link(link);
    if (leads.ok() && *leads == location) return {};
    LB_TRY(remove_tree(files_, link));
    return files_.make_symlink(location, link);
  }

  Status place_row(repo::Row row, Batch& batch) {
    auto attributes = LB_TRY(decode_attributes(row.attributes).context(row.key));
    auto place = LB_TRY(paths_.place(row.key));
    if (place.tablespace) LB_TRY(make_tablespace(*place.tablespace));
    if (place.skip) return {};
    // The server makes links only for tablespaces and pg_wal; both are ours to lay out.
    bool folder = attributes.kind != FileAttributes::Kind::file;
    if (options_.over_present) {
      LB_TRY(folder ? sweep_.expect_folder(row.key) : sweep_.expect(row.key));
    }
    if (folder) return make_folder(place.path);
    LB_TRY(make_folder(path_parent(place.path)));
    has_control_ = has_control_ || row.key == "global/pg_control";
    has_label_ = has_label_ || row.key == "backup_label";
    batch.extents += row.extents.size();
    batch.paths.push_back(std::move(place.path));
    batch.rows.push_back(std::move(row));
    return {};
  }

  Status write_rows() {
    auto cursor = LB_TRY(snapshot_.rows());
    Batch batch;
    for (;;) {
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      auto row = LB_TRY(cursor->next());
      bool last = !row;
      if (row) LB_TRY(place_row(std::move(*row), batch));
      if (batch.full() || (last && !batch.rows.empty())) {
        LB_TRY(write_batch(batch));
        batch = {};
      }
      if (last) return {};
    }
  }

  Status write_batch(Batch& batch) {
    BatchWriter writer(files_, options_, batch.paths, batch.rows, progress_);
    LB_TRY(writer.leave_out_present(snapshot_, stop_));
    return snapshot_.fetch(batch.rows, writer, options_.workers, stop_);
  }

  // backup_label makes the server begin at the right place; without it a copy taken online would
  // start silently broken. The tablespace map is left out on purpose: it would point at the old
  // places.
  Status write_label() {
    if (has_label_) return {};
    auto path = path_join(options_.folder, "backup_label");
    LB_TRY(remove_tree(files_, path));
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
    for (const auto& one : watched_) LB_TRY(one->sync());
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
  std::vector<std::unique_ptr<FileSystem>> watched_;  // that hold the folder and its tablespaces
  bool has_control_ = false, has_label_ = false;
  FolderSweep sweep_;
  RestoreProgress progress_;
};

}  // namespace

Result<RestoreOutcome> lay_out(World& world, repo::SnapshotReader& snapshot,
                               const LayoutOptions& options, std::stop_token stop) {
  if (!options.over_present) LB_TRY(check_target_empty(world.files, options.folder));
  Layout layout(world, snapshot, options, stop);
  auto outcome = layout.run();
  if (outcome.ok()) return outcome;
  (void)layout.withdraw().ok();
  auto error = std::move(outcome).take_error();
  return std::move(error).with_left(
      cat("an unfinished copy in ", printable(options.folder), " that no server can start on"));
}

}  // namespace lb::pg
