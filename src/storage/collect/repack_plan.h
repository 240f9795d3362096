// Which packs are worth rewriting: those that are live only in part, as far as a budget goes.
// Decides from a survey and a listing; acts not. First from what all packs seem to hold; then,
// once the survey watches those that seem worth it, from the chunks that are named in them. Used by
// Repacker and by prune -n.
#pragma once

#include <functional>
#include <optional>

#include "storage/collect/frame_survey.h"

namespace lb::repo {

struct RepackOptions {
  double below = 0.75;        // packs of which a smaller part is live are rewritten
  double budget_share = 0.1;  // of the bytes of all packs, written anew in one run at most
  std::optional<std::uint64_t> budget_bytes = {};  // instead
  std::uint64_t room = ~std::uint64_t{0};          // nor more than this, but for one pack
  // Frames of which a smaller part is live are opened, and what is live in several is put together;
  // others are moved as they are.
  double open_below = 0.8;
  std::size_t chunks_max = survey_chunks_max;  // named in what is rewritten in one run, about
  // So much of what earlier repackings say is said again; beyond that they go on standing.
  std::size_t carried_bytes_max = 32 << 20;
  // Younger packs cannot be deleted yet (object lock): rewriting them would free nothing.
  std::optional<Micros> locked = {};
  bool nothing() const { return below <= 0 || room == 0 || (budget_bytes && *budget_bytes == 0); }
};

struct RepackPlan {
  struct Pack {
    std::string name;
    std::uint64_t bytes = 0, live_bytes = 0;
    std::vector<LiveChunk> live;  // where they lie now
    std::vector<bool> opened;     // frames of which the live chunks alone are moved
  };
  std::vector<Pack> packs;  // what frees most for what is written comes first
  std::uint64_t bytes = 0, live_bytes = 0;
  std::uint64_t budget = 0;
  std::uint64_t beyond_budget = 0;  // packs that wait for a later run
  // Packs that stay whole in use only because newer snapshots name them, though everything they
  // name has been moved before: a new verdict is enough.
  std::uint64_t moved_already = 0, moved_already_bytes = 0;
  // Of packs that the snapshots name: the repacking that stands for them.
  std::map<std::string, Instead> moved;
  bool nothing() const { return packs.empty() && moved_already == 0; }
};

// Null: it cannot be read.
using ShapeOf =
    std::function<Result<const PackShape*>(const std::string& pack, std::uint64_t bytes)>;

class RepackPlanner {
 public:
  // `there`: the packs in the store, sorted. `unusable`: condemned, or out of use.
  RepackPlanner(FrameSurvey& survey, const std::vector<BlobInfo>& there,
                const std::set<std::string>& unusable, const RepackOptions& options, Timestamp now);

  // Which packs, but for some, seem worth it as far as the budget goes, those first that free most
  // for what is written; and whose chunks must be known to be sure.
  struct Worth {
    std::vector<std::string> packs, watched;
    std::uint64_t beyond_budget = 0;
  };
  Result<Worth> seems_worth(const ShapeOf& shape_of, const std::set<std::string>& without);
  // Of what is watched, whatever the budget. Not in it yet: what only the packs themselves say,
  // `opened` and from that `live_bytes`.
  RepackPlan plan(const Worth& worth);

 private:
  struct Candidate {
    std::string name;
    std::uint64_t bytes = 0, live_bytes = 0;
  };
  void sort_out();
  void sort_out(const std::string& name, const FrameSurvey::Named& named);
  const BlobInfo* find(const std::string& pack) const;  // null: it is not there
  bool usable(const std::string& name, std::uint64_t bytes) const;
  std::optional<Instead> moved_by(const std::string& name, const FrameSurvey::Named& named);
  bool has_all(const Moved& by, const MovedPack& from, const FrameSet& named) const;
  bool knew_all(const Moved& by) const;
  void pin(const std::string& name);
  FrameSet live_frames(const std::string& pack) const;
  void watch(const std::string& pack, std::vector<std::string>& out) const;
  bool may_be_given_up(const std::string& pack) const;
  std::vector<Candidate> candidates() const;
  std::optional<std::vector<LiveChunk>> live_chunks(const std::string& pack);
  void count_moved_already(RepackPlan& out) const;
  std::uint64_t budget() const;

  FrameSurvey& survey_;
  const std::set<std::string>& unusable_;
  const RepackOptions options_;
  const Timestamp now_;
  const std::vector<BlobInfo>& there_;
  std::map<std::string, Instead> moved_;
  // Of packs where something was moved to: the packs that it is named by.
  std::map<std::string, std::set<std::string>> named_by_;
  // Moved or not: their chunks must be known. And by the packs where these may lie.
  std::set<std::string> unclear_;
  std::map<std::string, std::set<std::string>> pinned_by_;
};

}  // namespace lb::repo
