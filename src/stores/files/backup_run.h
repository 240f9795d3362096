// BackupRun: one backup of one tree. The calling thread walks and compares with the parent
// snapshot; a ReadPool reads what is new. Memory does not grow with the number of files.
#pragma once

#include <memory>

#include "stores/files/parent_rows.h"
#include "stores/files/read_pool.h"
#include "stores/files/walker.h"

namespace lb::files {

class BackupRun {
 public:
  BackupRun(const SourceOptions& options, const BackupContext& context);
  Result<BackupOutcome> run();

 private:
  struct Counts {
    std::uint64_t files = 0, folders = 0, symlinks = 0, specials = 0, sockets = 0, unchanged = 0,
                  hard_links = 0, other_filesystems = 0;
  };
  static std::uint64_t estimate(const BackupContext& context);
  ProgressSink with_new_bytes(ProgressSink sink);
  Status count(const WalkOptions& walk);
  Status walk(TreeWalker& walker);
  Status take(const Visit& visit);
  Status take_unseen(const Visit& visit);
  Status take_file(const Visit& visit);
  Status take_other(const Visit& visit);
  const repo::Row* unchanged_row(const Visit& visit);
  Result<BackupOutcome> commit(Timestamp started, const Selection& selection);
  std::string details() const;

  const SourceOptions& options_;
  const BackupContext& context_;
  std::unique_ptr<repo::SnapshotWriter> writer_;
  OwnerNames names_;
  Findings findings_;
  LinkTable links_;
  Meter meter_;
  ParentRows parent_;
  std::unique_ptr<SaveContext> saving_;
  Counts counts_;
  std::unique_ptr<ReadPool> pool_;
  TaskGroup group_;  // the readers; last, so that they end before what they use
};

}  // namespace lb::files
