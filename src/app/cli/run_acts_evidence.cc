// Points that something vouches for: a drill that passed, a check that found nothing wrong.
#include <algorithm>
#include <set>

#include "app/cli/point_words.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "storage/state/bisect_log.h"

namespace lb::cli {

using runbook::Act;

namespace {

const std::vector<std::string> no_files;

// What is newer does not count.
Result<Timestamp> limit_of(const Act& act, Timestamp now) {
  plan::View what(act.step().what, no_files);
  auto limit = now;
  for (const char* key : {"at", "before"}) {
    if (!what.has(key)) continue;
    auto text = LB_TRY(act.expand(what.text(key)));
    if (text != "latest") limit = LB_TRY(parse_time(text));
  }
  return limit;
}

// A moment at which a check found the stores clean.
struct CleanMoment {
  Timestamp at{};                             // the moment
  Timestamp looked{};                         // when that was found
  std::map<std::string, std::string> words;   // of each store
  std::map<std::string, std::string> points;  // the base that was looked at
};

using Stores = std::vector<const plan::Store*>;

std::set<std::string> names_of(const Stores& stores) {
  std::set<std::string> out;
  for (const auto* store : stores) out.insert(store->name);
  return out;
}

std::vector<CleanMoment> by_bisects(const std::vector<record::BisectRecord>& bisects,
                                    const Stores& stores) {
  std::vector<CleanMoment> out;
  for (const auto& bisect : bisects) {
    std::set<std::string> looked_at(bisect.stores.begin(), bisect.stores.end());
    if (!bisect.clean || looked_at != names_of(stores)) continue;
    CleanMoment clean{bisect.clean->at, bisect.started, {}, {}};
    for (const auto& store : bisect.clean->stores) {
      clean.words[store.store] = bisect.clean_words;
      clean.points[store.store] = store.point;
      if (stores.size() == 1) continue;
      // Of several each is named by itself; without a commit behind its point, by that.
      bool by_point = !store.reached || *store.reached <= store.point_taken;
      clean.words[store.store] =
          by_point ? words_of_point(store.point) : format_time(*store.reached);
    }
    out.push_back(std::move(clean));
  }
  return out;
}

// Whether a later look found things bad already at that moment, or before it.
bool is_disproven(const CleanMoment& clean, const std::vector<record::BisectRecord>& bisects,
                  const Stores& stores) {
  auto names = names_of(stores);
  return std::any_of(bisects.begin(), bisects.end(), [&](const auto& bisect) {
    bool about = std::any_of(bisect.stores.begin(), bisect.stores.end(),
                             [&](const auto& name) { return names.contains(name); });
    return about && bisect.started > clean.looked && bisect.first_bad &&
           bisect.first_bad->at <= clean.at;
  });
}

// Whether a drill looked for what an intruder leaves, in that store, and found nothing.
bool found_clean(const record::DrillRecord& drill, const std::string& store) {
  return std::any_of(drill.checks.begin(), drill.checks.end(), [&](const auto& check) {
    bool looks = check.kind == "entropy" || check.kind == "scan";
    bool here = check.store == store || check.store.empty();
    return looks && here && check.state == record::CheckState::pass;
  });
}

}  // namespace

// In words that choose again what the drill restored. A point that nothing was replayed onto but
// its own log has no commit to name it by.
Result<std::string> RunActs::proven_moment(const plan::Store& store,
                                           const record::StoreResult& result) const {
  auto point = words_of_point(result.point);
  if (store.kind != plan::StoreKind::postgres) return point;
  auto points = LB_TRY(restore::read_points(*session_.repository, store));
  auto moment = format_time(*result.reached);
  auto wish = LB_TRY(wish_of(moment));
  auto now = shell_.world.clock.now();
  if (restore::choose(points, wish, now, *session_.repository).ok()) return moment;
  bool own = std::any_of(points.snapshots.begin(), points.snapshots.end(), [&](const auto& each) {
    return each.id == result.point && *result.reached <= each.ended;
  });
  return own ? point : moment;
}

// The newest moment that a drill has restored all of them to, and found good.
Result<std::vector<restore::Choice>> RunActs::proven_choices(
    const Act& act, const std::vector<const plan::Store*>& stores) {
  auto limit = LB_TRY(limit_of(act, shell_.world.clock.now()));
  auto drills = LB_TRY(state::drills(*session_.repository));
  for (auto drill = drills.rbegin(); drill != drills.rend(); ++drill) {
    if (drill->verdict != record::Verdict::pass) continue;
    Act proven = act;
    bool all = true;
    for (const auto* store : stores) {
      auto found = std::find_if(drill->stores.begin(), drill->stores.end(),
                                [&](const auto& result) { return result.store == store->name; });
      all = all && found != drill->stores.end() && found->reached && *found->reached <= limit;
      if (!all) break;
      proven.pinned[store->name] = LB_TRY(proven_moment(*store, *found));
    }
    if (!all) continue;
    auto chosen = pinned_choices(proven, stores);
    if (chosen.ok()) return chosen;  // else the point is gone by now
  }
  return Error(ErrorKind::not_found, "no drill that passed has restored what is still there")
      .with_hint("run one, or choose with prefer: verified")
      .with_exit(ExitCode::point_unreachable);
}

// The newest moment at which a bisect, or a check for encrypted content in a drill, found all of
// them clean, and no later bisect found them bad.
Result<std::vector<restore::Choice>> RunActs::clean_choices(
    const Act& act, const std::vector<const plan::Store*>& stores) {
  auto limit = LB_TRY(limit_of(act, shell_.world.clock.now()));
  auto bisects = LB_TRY(state::bisects(*session_.repository));
  auto moments = by_bisects(bisects, stores);
  auto drills = LB_TRY(state::drills(*session_.repository));
  for (const auto& drill : drills) {
    if (drill.verdict != record::Verdict::pass || drill.audit) continue;
    CleanMoment clean{drill.started, drill.started, {}, {}};
    for (const auto& result : drill.stores) {
      bool asked = names_of(stores).contains(result.store);
      if (!asked || !result.reached || !found_clean(drill, result.store)) continue;
      clean.at = std::min(clean.at, *result.reached);
      clean.words[result.store] = LB_TRY(proven_moment(*plan_.store(result.store), result));
    }
    if (clean.words.size() == stores.size()) moments.push_back(std::move(clean));
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const auto& a, const auto& b) { return a.at > b.at; });
  for (const auto& clean : moments) {
    if (clean.at > limit || is_disproven(clean, bisects, stores)) continue;
    Act pinned = act;
    pinned.pinned = clean.words;
    auto chosen = pinned_choices(pinned, stores);
    bool still = chosen.ok() && std::all_of(chosen->begin(), chosen->end(), [&](const auto& each) {
                   auto point = clean.points.find(each.store);
                   return point == clean.points.end() || point->second == each.snapshot.id;
                 });
    if (still) return chosen;  // else the point is gone by now
  }
  return Error(ErrorKind::not_found,
               "no bisect and no check for encrypted content has found clean "
               "what is still there")
      .with_hint("let a bisect: step look for it first, or choose with prefer: proven")
      .with_exit(ExitCode::point_unreachable);
}

}  // namespace lb::cli
