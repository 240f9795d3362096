// BackupFiles: the files of a base backup on their way into a snapshot. The receiving thread cuts
// them into pieces; a few threads check pages and write streams, so that receiving never waits for
// sealing while there is room. Private to stores/postgres.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "foundation/flow/bounded_queue.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/repository.h"
#include "stores/postgres/base_backup.h"
#include "stores/postgres/page_judge.h"
#include "stores/seam/store.h"

namespace lb::pg {

class BackupFiles final : public BaseBackupSink {
 public:
  // Called once when the server has told where the backup starts; gives the judge of pages, or null
  // when the cluster has no checksums.
  using OnStart = std::function<Result<std::unique_ptr<PageJudge>>(const BaseBackupStart&)>;
  BackupFiles(repo::SnapshotWriter& writer, unsigned workers, ProgressSink progress,
              OnStart on_start, std::stop_token stop);
  ~BackupFiles() override;

  Status started(const BaseBackupStart& start) override;
  void progress(std::uint64_t bytes) override;
  Status manifest(ByteView bytes) override;
  Status begin(const TarEntry& entry) override;
  Status data(ByteView bytes) override;
  Status end() override;
  // Waits until all files are written, and the manifest; the first failure of any of them.
  Status finish();

  const BaseBackupStart& start() const { return start_; }
  std::vector<std::string> bad_pages() const;
  const Buffer& backup_label() const { return backup_label_; }
  const Buffer& tablespace_map() const { return tablespace_map_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::optional<TarEntry> begins;
    Buffer bytes;
    bool ends = false;
  };
  using Lane = BoundedQueue<Piece>;
  struct OpenFile;
  Status work(Lane& lane, const std::stop_token& stop);
  Status write_piece(Piece piece, OpenFile& file);
  Status send_piece(bool ends);
  Status keep_small(ByteView bytes);

  repo::SnapshotWriter& writer_;
  ProgressSink progress_;
  OnStart on_start_;
  BaseBackupStart start_;
  std::unique_ptr<PageJudge> judge_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Lane* lane_ = nullptr;  // of the file being received
  TarEntry entry_;
  bool begun_ = false;  // its first piece was sent
  Buffer piece_;
  Buffer backup_label_, tablespace_map_;
  std::unique_ptr<repo::AttachmentStream> manifest_;
  std::uint64_t bytes_ = 0, items_ = 0;
  TaskGroup tasks_;  // last: joins before anything above goes
};

}  // namespace lb::pg
