// Which packs are worth rewriting: those that are live only in small part, as far as a budget goes.
// Decides from a survey and a listing; acts not. Used by Repacker and by prune -n.
#pragma once

#include <optional>

#include "storage/collect/frame_survey.h"

namespace lb::repo {

struct RepackOptions {
  double below = 0.5;         // packs of which a smaller part is live are rewritten
  double budget_share = 0.1;  // of the bytes of all packs, written anew in one run at most
  std::optional<std::uint64_t> budget_bytes = {};  // instead
  // Younger packs cannot be deleted yet (object lock): rewriting them would free nothing.
  std::optional<Micros> locked = {};
  bool nothing() const { return below <= 0 || (budget_bytes && *budget_bytes == 0); }
};

struct RepackPlan {
  struct Pack {
    std::string name;
    std::uint64_t bytes = 0, live_bytes = 0;
    std::vector<std::uint32_t> frames;  // to be moved
  };
  std::vector<Pack> packs;  // by name
  std::uint64_t bytes = 0, live_bytes = 0;
  std::uint64_t beyond_budget = 0;  // packs that wait for a later run
  // Packs that stay whole in use only because newer snapshots name them, though everything they
  // name has been moved before: a new verdict is enough.
  std::uint64_t moved_already = 0, moved_already_bytes = 0;
  // Of packs that the snapshots name: the repacking that stands for them.
  std::map<std::string, Instead> moved;
  bool nothing() const { return packs.empty() && moved_already == 0; }
};

// `there`: the packs in the store. `unusable`: condemned, or out of use. Pure.
RepackPlan plan_repack(const FrameSurvey& survey, const std::vector<BlobInfo>& there,
                       const std::set<std::string>& unusable, const RepackOptions& options,
                       Timestamp now);

}  // namespace lb::repo
