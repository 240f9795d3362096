// MemoryRepository: a repository in memory for this folder's tests: snapshots, log, nothing sealed.
// Built on the seam alone, so that tests of restores do not depend on packs and keys. What is not
// needed here answers unsupported. For tests only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/repo/repository.h"
#include "stores/postgres/log_index.h"
#include "stores/postgres/synthetic_wal.h"

namespace lb::pg {

class MemoryRepository final : public repo::Repository {
 public:
  static constexpr const char* log_id = "db-7000000000000000001";
  // Details of a snapshot of the synthetic log's database.
  static SnapshotDetails snapshot_details(Lsn start, Lsn stop, std::uint32_t timeline = 1);

  // Puts the segments of `wal`, the last one as a tail when it is not full, without those in
  // `missing`.
  void store(const SyntheticWal& wal, const std::set<std::uint64_t>& missing = {},
             std::uint32_t timeline = 1);
  // Puts segment files of a real server ("00000001…" names) from bytes; the summary is made here.
  void store_segment(const std::string& id, std::uint32_t timeline, std::uint64_t number,
                     ByteView bytes, std::uint64_t segment_bytes);
  void cut(std::uint64_t segment, std::size_t bytes,
           std::uint32_t timeline = 1);  // leaves a tail only
  void drop(std::uint64_t segment, std::uint32_t timeline = 1);
  void drop_segment(const repo::LogName& name);
  void spoil_summary(std::uint64_t segment, std::uint32_t timeline = 1);
  // Called before each row of a fetch; an error fails the fetch there.
  std::function<Status(const std::string& key)> on_fetch;
  int log_reads() const { return log_reads_; }

  const std::string& id() const override { return id_; }
  std::string describe() const override { return "memory"; }
  Result<std::vector<repo::SnapshotInfo>> snapshots() override;
  Result<std::unique_ptr<repo::SnapshotReader>> snapshot(const std::string& id) override;
  Result<std::unique_ptr<repo::SnapshotWriter>> begin(const std::string& store,
                                                      repo::SnapshotReader* parent,
                                                      std::stop_token stop) override;
  Status put_log(const repo::LogName& name, ByteView bytes, ByteView summary,
                 ByteView detail) override;
  Status put_log_tail(const repo::LogName& name, std::uint64_t offset, ByteView bytes,
                      ByteView summary) override;
  Result<std::vector<repo::LogInfo>> logs(const std::string& id) override;
  Result<std::vector<std::string>> log_ids() override;
  Result<Buffer> get_log(const repo::LogName& name) override;
  Result<Buffer> get_log_summary(const repo::LogName& name) override;
  Result<std::optional<Buffer>> get_log_detail(const repo::LogName& name) override;
  Status put_history(const std::string& id, std::uint32_t timeline, ByteView bytes) override;
  Result<std::optional<Buffer>> get_history(const std::string& id, std::uint32_t timeline) override;
  Status put_record(const std::string& kind, const std::string& id, ByteView bytes) override;
  Result<std::vector<std::string>> records(const std::string& kind) override;
  Result<Buffer> get_record(const std::string& kind, const std::string& id) override;
  std::string fresh_id() override { return "id"; }
  Result<repo::VerifyReport> verify(
      const repo::VerifyOptions& options, std::stop_token stop,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  Result<std::uint64_t> stored_bytes() override { return std::uint64_t{0}; }

  struct Content {
    Buffer attributes, bytes;
  };
  struct Snapshot {
    repo::SnapshotInfo info;
    std::map<std::string, Content> rows;
    std::map<std::string, Buffer> attachments;
  };

 private:
  struct Part {
    Buffer bytes, summary;
    bool complete = false;
    Buffer detail = {};
  };
  std::string id_ = "00112233445566778899aabbccddeeff";
  std::mutex mutex_;
  std::map<repo::LogName, Part> parts_;
  std::map<std::pair<std::string, std::uint32_t>, Buffer> histories_;
  std::map<std::string, std::shared_ptr<Snapshot>> snapshots_;  // shared with readers and writers
  int log_reads_ = 0;
};

}  // namespace lb::pg
