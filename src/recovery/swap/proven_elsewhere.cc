#include "recovery/swap/proven_elsewhere.h"

#include "foundation/base/text.h"

namespace lb::swap {

namespace {

// How near something came, the farthest first.
enum class Miss { other_target, other_point, other_moment, failed, unchecked, too_old, none };

struct Tried {
  const record::DrillRecord* drill = nullptr;
  Miss miss = Miss::other_target;
};

// What one restore of the store was.
struct Attempt {
  std::string point;
  std::optional<Timestamp> reached;
  bool passed = false;
  std::uint64_t checks_passed = 0;
};

std::vector<Attempt> attempts_of(const record::DrillRecord& drill, const std::string& store) {
  std::vector<Attempt> out;
  if (drill.audit) {
    for (const auto& moment : drill.audit->moments) {
      for (const auto& each : moment.stores) {
        if (each.store == store)
          out.push_back({each.point, each.reached, moment.verdict == record::Verdict::pass,
                         moment.checks_passed});
      }
    }
    return out;
  }
  for (const auto& each : drill.stores) {
    if (each.store == store)
      out.push_back(
          {each.point, each.reached, drill.verdict == record::Verdict::pass, each.checks_passed});
  }
  return out;
}

Miss miss_of(const record::DrillRecord& drill, const Attempt& attempt, const WantedProof& wanted,
             Timestamp now) {
  if (attempt.point != wanted.snapshot) return Miss::other_point;
  if (wanted.reached && attempt.reached != wanted.reached) return Miss::other_moment;
  if (!attempt.passed) return Miss::failed;
  if (attempt.checks_passed == 0) return Miss::unchecked;
  // One from the future was judged by a clock that is wrong.
  bool recent = drill.ended <= now && now - drill.ended <= wanted.within;
  return recent ? Miss::none : Miss::too_old;
}

std::string reason_of(const Tried& tried, const WantedProof& wanted) {
  auto place = cat(wanted.store, " in ", wanted.target);
  if (tried.miss == Miss::other_target) return cat("no drill has restored ", place);
  auto drill = cat("drill ", tried.drill->id, " of ", format_time_seconds(tried.drill->ended));
  switch (tried.miss) {
    case Miss::other_point:
      return cat("point ", wanted.snapshot, " was not restored there: ", drill,
                 " took another one");
    case Miss::other_moment:
      return cat(drill, " recovered point ", wanted.snapshot, " to another moment");
    case Miss::failed:
      return cat(drill, " did not pass: ", tried.drill->reason);
    case Miss::unchecked:
      return cat(drill, " checked nothing of ", wanted.store);
    case Miss::too_old:
      return cat(drill, " is not of the last ", human_duration(wanted.within));
    case Miss::other_target:
    case Miss::none:
      break;
  }
  return {};
}

}  // namespace

Proof proven_elsewhere(const std::vector<record::DrillRecord>& drills, const WantedProof& wanted,
                       Timestamp now) {
  Tried nearest;
  for (const auto& drill : drills) {
    if (drill.target != wanted.target) continue;
    for (const auto& attempt : attempts_of(drill, wanted.store)) {
      auto miss = miss_of(drill, attempt, wanted, now);
      if (miss == Miss::none) return {true, drill.id, drill.ended, {}};
      if (miss >= nearest.miss) nearest = {&drill, miss};
    }
  }
  return {false, {}, {}, reason_of(nearest, wanted)};
}

}  // namespace lb::swap
