// Verifier: reads a repository back and says what is wrong with it, in terms of snapshots and
// paths.
#pragma once

#include <functional>
#include <map>
#include <set>

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
    std::vector<FooterFrame> frames;  // kept: extents are held against it
    bool readable = false;
    std::set<std::uint32_t> bad_frames;
  };
  Status check_small_objects();
  Status check_verdicts();
  Status check_packs();
  Status check_pack(const std::string& name, PackState& state, bool read);
  Status check_snapshots();
  Status check_snapshot(StoredSnapshot& snapshot);
  void check_row(StoredSnapshot& snapshot, const Row& row);
  Status check_logs();
  void add(const std::string& object, const std::string& problem, const std::string& affected = {});
  bool sampled(const std::string& pack) const;

  const Core& core_;
  const VerifyOptions options_;
  const std::stop_token stop_;
  const VerifyProgress progress_;
  VerifyReport report_;
  std::map<std::string, std::size_t> by_object_;  // object + problem -> finding
  std::map<std::string, PackState> packs_;
  std::map<std::string, Verdict> verdicts_;
  std::set<std::string> damaged_;  // snapshot ids
  std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

}  // namespace lb::repo
