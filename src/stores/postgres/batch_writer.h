// BatchWriter: receives the content of some rows and writes it in place. Over present files it
// writes the pages that differ. Private to stores/postgres.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stores/postgres/restore.h"

namespace lb::pg {

// What a restore has written so far. Thread-safe.
class RestoreProgress {
 public:
  RestoreProgress(std::uint64_t total_bytes, ProgressSink sink);
  // Content of `key` that is in place now; `kept` of it was there before.
  void add(const std::string& key, std::uint64_t bytes, std::uint64_t kept);
  void add_item(const std::string& key);
  RestoreOutcome outcome() const;

 private:
  mutable std::mutex mutex_;
  Progress progress_;
  std::uint64_t kept_ = 0;
  const ProgressSink sink_;
};

class BatchWriter final : public repo::FetchSink, public repo::PresentContent {
 public:
  // `rows` as the snapshot has them, one for each path; both outlive the writer.
  BatchWriter(Files& files, const LayoutOptions& options, const std::vector<std::string>& paths,
              std::vector<repo::Row>& rows, RestoreProgress& progress);
  // Leaves out of the rows what is there already, if anything is.
  Status leave_out_present(repo::SnapshotReader& snapshot, std::stop_token stop);

  Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override;
  Status done(std::size_t row) override;
  Result<std::size_t> read_at(std::size_t row, std::uint64_t offset, MutableBytes out) override;

 private:
  struct Entry {
    std::mutex mutex;
    std::unique_ptr<File> file;
    std::uint64_t present = 0;         // bytes that lay there
    std::vector<DataRange> holes;      // of the row, where something may lie
    std::atomic<bool> behind = false;  // something of it is on its way to the disk
  };
  Result<File*> open(std::size_t row);
  Result<std::unique_ptr<File>> open_over(std::size_t row);
  Result<std::uint64_t> write_differing(File& file, std::uint64_t offset, ByteView bytes,
                                        std::uint64_t present);
  bool behind(std::size_t row) const;
  Status clear_holes(std::size_t row, File& file);

  Files& files_;
  const LayoutOptions& options_;
  const std::vector<std::string>& paths_;
  std::vector<repo::Row>& rows_;
  RestoreProgress& progress_;
  std::vector<std::unique_ptr<Entry>> entries_;  // mutexes do not move
};

}  // namespace lb::pg
