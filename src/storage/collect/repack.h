// Repacker: moves what is still needed out of packs that are live only in part, so that a collector
// can free them. Frames that are needed nearly whole are moved as they are; others are opened, and
// what is needed in them is put together into new ones. It is a session like that of a backup:
// intent, packs, index, verdict; interrupted at any moment it leaves garbage. Snapshots do not
// change, and backups may run meanwhile. docs/format.md, "Repacking". Used by prune.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/collect/moved_draft.h"
#include "storage/collect/repack_plan.h"

namespace lb::repo {

using RepackProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

struct RepackReport {
  std::uint64_t packs = 0, bytes = 0;          // given up: the next collection frees them
  std::uint64_t moved_bytes = 0;               // of frames that were read and written
  std::uint64_t opened_frames = 0;             // and these in part only
  std::uint64_t new_packs = 0, new_bytes = 0;  // written
  std::uint64_t beyond_budget = 0;             // packs left to a later run
  std::vector<std::string> skipped;            // "p/…: frame 3 does not authenticate"
  std::vector<std::string> moved_damaged;      // frames whose chunks are not what they should be
  std::vector<std::string> unread;             // snapshots whose tables could not be read
};

class MovedPackWriter;

class Repacker {
 public:
  // `without`: points that count as forgotten already, for a plan that is only shown.
  Repacker(const Core& core, const RepackOptions& options, std::set<std::string> without,
           std::stop_token stop)
      : core_(core),
        options_(options),
        survey_(core, std::move(without), stop, options.chunks_max),
        stop_(stop) {}

  // What a run would do now; changes nothing.
  Result<RepackPlan> plan();
  // conflict: another repacking ended meanwhile, or a collector aborted this one.
  Result<RepackReport> run(const RepackProgress& progress);

 private:
  Status look();
  Result<RepackPlan> plan_again();
  Status begin();
  Status move(const RepackProgress& progress);
  Status give_up();
  Status check_order() const;
  Status weigh(RepackPlan& plan);
  Result<const PackShape*> shape_of(const std::string& pack, std::uint64_t bytes);
  bool weigh(RepackPlan::Pack& pack, const PackShape& shape) const;
  Status rewrite(const RepackPlan& plan, MovedPackWriter& out, const RepackProgress& progress);
  void resolve_gathered(const MovedPackWriter& out);
  Status commit(const Moved& moved);

  const Core& core_;
  const RepackOptions options_;
  FrameSurvey survey_;
  const std::stop_token stop_;
  std::string session_;
  std::vector<BlobInfo> there_;
  std::set<std::string> unusable_;
  std::map<std::string, PackShape> shapes_;  // without frames: it cannot be read
  RepackPlanner::Worth worth_;               // before the session began
  std::vector<std::string> rejected_;        // of these, by what they really hold
  Rewritten written_;
  RepackReport report_;
};

}  // namespace lb::repo
