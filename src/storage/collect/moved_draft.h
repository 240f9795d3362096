// What a repacking will say: where it moved what snapshots name, and what earlier ones moved that
// is still named, as far as it has to be said again. Pure. Used by Repacker.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/collect/repack_plan.h"

namespace lb::repo {

// What was written. `places`: by old pack, where its frames are; MovedFrame::pack is a position in
// `packs`.
struct Rewritten {
  std::map<std::string, MovedPack> places;
  std::vector<StoredPack> packs;
};

struct DraftOptions {
  std::set<std::string> there;  // packs in the store
  std::size_t carried_bytes_max = 0;
};

// internal: something that a snapshot names would be lost. Nothing was given up then.
Result<Moved> draft_moved(const std::string& session, FrameSurvey& survey, const RepackPlan& plan,
                          const Rewritten& written, const DraftOptions& options);

}  // namespace lb::repo
