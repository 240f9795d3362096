// FolderBackup: the files of a data directory on their way into a snapshot, read by a few threads:
// whole, or, where the log told which pages changed, those alone. Private to stores/postgres.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "foundation/flow/bounded_queue.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/repository.h"
#include "stores/postgres/changed_pages.h"
#include "stores/postgres/data_walk.h"
#include "stores/postgres/page_judge.h"
#include "stores/postgres/page_plan.h"
#include "stores/seam/store.h"

namespace lb::pg {

struct FolderBackupOptions {
  int server_version = 0;
  std::uint32_t blocks_per_segment = 131072;
  Lsn backup_start = 0;
  unsigned workers = 2;
  std::uint64_t estimated_bytes = 0;
  ProgressSink progress = {};
  PageJudge* judge = nullptr;  // null: the cluster has no checksums
  // Both or neither: pages that the log does not name are taken from the parent's rows.
  repo::SnapshotReader* parent = nullptr;
  const ChangedPages* changed = nullptr;
  // Read those as well, and compare.
  bool compare = false;
};

struct FolderBackupResult {
  std::uint64_t bytes = 0;       // of all files
  std::uint64_t bytes_read = 0;  // from the cluster
  std::vector<std::string> left_out;
  std::vector<std::string> unreadable;     // of others: not in the point
  std::vector<std::string> lost;           // stored before and missing now: read anew
  std::vector<std::string> disagreements;  // pages that changed though the log did not say so
};

class FolderBackup {
 public:
  FolderBackup(repo::SnapshotWriter& writer, DataFolder& folder, FolderBackupOptions options,
               std::stop_token stop);
  ~FolderBackup();
  Result<FolderBackupResult> run();

 private:
  struct Item {
    WalkedFile file;
    std::optional<repo::Row> row;  // of the parent, when pages may be taken from it
  };
  class ParentRows;
  class PageWriter;

  Status work(const std::stop_token& stop);
  Status queue(WalkedFile file);
  Status save(Item item);
  Status save_file(const WalkedFile& file);
  Status save_pages(const WalkedFile& file, const repo::Row& row);
  Status save_whole(const WalkedFile& file, DataFile& data);
  Status compare(const WalkedFile& file, const repo::Row& row, const std::vector<PageStep>& steps,
                 DataFile& data, std::vector<DataRange>& ranges);
  bool may_stand_for(const WalkedFile& file, std::uint64_t offset, ByteView stored,
                     ByteView now) const;
  std::uint32_t block_at(const WalkedFile& file, std::uint64_t offset) const;
  Status look_again(const WalkedFile& file, const repo::Row& row, std::uint64_t offset,
                    DataFile& data, std::vector<DataRange>& ranges);
  void note_lost(const Error& error);
  void note_unreadable(const Error& error);
  bool may_splice(const WalkedFile& file) const;
  void count(const WalkedFile& file, std::uint64_t bytes, std::uint64_t read);

  repo::SnapshotWriter& writer_;
  DataFolder& folder_;
  const FolderBackupOptions options_;
  std::unique_ptr<ParentRows> parent_;
  std::mutex mutex_;  // result and progress
  FolderBackupResult result_;
  std::uint64_t items_ = 0, disagreements_ = 0, lost_ = 0, unreadable_ = 0;
  BoundedQueue<Item> queue_;
  TaskGroup tasks_;  // last: joins before anything above goes
};

// The relation a file below the data directory belongs to; nothing for other files.
struct RelationPath {
  RelationId relation;
  RelationName name;
};
std::optional<RelationPath> relation_path(std::string_view path);

}  // namespace lb::pg
