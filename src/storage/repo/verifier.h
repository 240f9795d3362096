// Verifier: reads a repository back and says what is wrong with it, in terms of snapshots and
// paths. Keeps the footers of all packs in memory (about 50 bytes a chunk) and one pack a worker.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "storage/repo/chunk_map.h"
#include "storage/repo/log_store.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {

using VerifyProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Verifier {
 public:
  Verifier(const Core& core, const VerifyOptions& options, std::stop_token stop,
           VerifyProgress progress);
  Result<VerifyReport> run();

 private:
  struct PackState {
    std::uint64_t bytes = 0;
    Digest sha256{};
    bool known_digest = false;
    bool read = false;                // in the sample
    std::vector<FooterFrame> frames;  // kept: extents are held against it
    bool readable = false;
    std::set<std::uint32_t> bad_frames;
  };

  Status check_text_objects();
  Status check_verdicts();
  void check_chain(const std::map<std::string, Digest>& digests);
  Status check_packs();
  void choose_sample();
  Status check_pack(const std::string& name, PackState& state);
  void check_pack_bytes(const std::string& name, PackState& state, const Aead& key, ByteView bytes);
  Status check_snapshots();
  Status check_snapshot(StoredSnapshot& snapshot);
  void check_row(StoredSnapshot& snapshot, const Row& row);
  Status check_indexes();
  void check_index(const std::string& key, const Index& index);
  Status check_logs();
  void check_log(const LogKey& key, const BlobInfo& object);
  void check_log_gaps(const std::map<LogName, LogHead>& segments);
  Status check_small_objects();
  // Thread-safe. One finding an object and problem; what it hits is gathered.
  void add(const std::string& object, const std::string& problem, const std::string& affected = {});
  // Adds to the first finding of the object, or makes one.
  void hit(const std::string& object, const std::string& problem, const std::string& affected);
  bool chance(const std::string& object) const;  // of the sample, for objects that are not packs
  Status check_stop() const;

  const Core& core_;
  const VerifyOptions options_;
  const std::stop_token stop_;
  const VerifyProgress progress_;
  std::mutex mutex_;  // report_ and findings, while packs are read
  VerifyReport report_;
  std::map<std::string, std::size_t> by_problem_;  // object + problem -> finding
  std::map<std::string, std::size_t> by_object_;   // object -> its first finding
  std::map<std::string, PackState> packs_;
  std::map<std::string, Verdict> verdicts_;
  std::set<std::string> damaged_;  // snapshot ids
  std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace lb::repo
