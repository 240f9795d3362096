#include <algorithm>

#include "foundation/base/text.h"
#include "storage/copy/shape.h"
#include "storage/repair/index_rebuild.h"
#include "storage/repair/repair.h"
#include "storage/repo/format.h"
#include "storage/repo/quarantine.h"

namespace lb::repair {

namespace {

// Verdicts come last, when what they need is back; indexes after the packs they list.
int rank(const Step& step) {
  if (step.remedy == Remedy::heal) return step.key.starts_with("e/") ? 1 : 0;
  if (step.remedy == Remedy::set_aside) return 2;
  if (step.remedy == Remedy::index) return 3;
  return step.remedy == Remedy::remove ? 4 : 5;
}

class Planner {
 public:
  Planner(const repo::Core& core, const std::vector<Source>& sources, std::stop_token stop)
      : core_(core), sources_(sources), stop_(std::move(stop)) {}

  Result<RepairPlan> run(const repo::VerifyReport& found) {
    verdicts_ = LB_TRY(read_verdicts(core_, stop_, sources_));
    LB_TRY(gather(found));
    for (const auto& [key, suspect] : suspects_) {
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      LB_TRY(judge(key, suspect));
    }
    for (auto& step : plan_.steps) {
      if (step.affected.empty() && step.key.starts_with("p/")) step.affected = hit_through_others_;
    }
    LB_TRY(plan_indexes());
    LB_TRY(plan_quarantines());
    std::stable_sort(plan_.steps.begin(), plan_.steps.end(),
                     [](const Step& a, const Step& b) { return rank(a) < rank(b); });
    return std::move(plan_);
  }

 private:
  Status gather(const repo::VerifyReport& found) {
    for (const auto& finding : found.findings) {
      auto& suspect = suspects_[finding.object];
      if (suspect.problem.empty()) suspect.problem = finding.problem;
      suspect.affected.insert(suspect.affected.end(), finding.affected.begin(),
                              finding.affected.end());
    }
    auto lost = LB_TRY(lost_here(core_, verdicts_, sources_, plan_.sources_unread));
    for (auto& [key, suspect] : lost) suspects_.try_emplace(key, std::move(suspect));
    // What an interrupted repair took away and did not bring back.
    quarantine_ = LB_TRY(repo::read_quarantine(core_));
    for (const auto& key : quarantine_.keys) {
      auto there = core_.blobs.info(key);
      bool gone = !there.ok() && there.error().kind() == ErrorKind::not_found;
      bool collected = gone && key.starts_with("p/") && !verdicts_.packs.contains(key);
      if (!collected) suspects_.try_emplace(key, Suspect{"was being repaired", {}});
    }
    return {};
  }

  Status judge(const std::string& key, const Suspect& suspect) {
    auto condition = LB_TRY(condition_of(core_, key));
    // The cause lies in another object, which is named too: a pack with a part of a table, say.
    // Where the verdict of a repacking comes back, the packs it stands for are not missed.
    bool unneeded = key.starts_with("p/") && !verdicts_.packs.contains(key);
    if (condition == Condition::missing && unneeded) return {};
    if (condition == Condition::whole) {
      hit_through_others_.insert(hit_through_others_.end(), suspect.affected.begin(),
                                 suspect.affected.end());
      return {};
    }
    if (auto found = find_whole(core_, key, sources_)) {
      add(Remedy::heal, key, suspect, sources_[found->source].name);
      // As long as its verdict could not be read, nobody missed them. They sort behind it.
      if (key.starts_with("e/")) add_packs(core_, key, found->bytes, suspects_);
    } else if (key.starts_with("p/") && condition == Condition::damaged) {
      set_aside_.insert(key);
      if (!quarantine_.keys.contains(key)) add(Remedy::set_aside, key, suspect);
      if (quarantine_.keys.contains(key)) add(Remedy::lost, key, suspect);
    } else if (derived(key)) {
      add(Remedy::remove, key, suspect);
    } else if (!key.starts_with(repo::quarantine_prefix)) {
      add(Remedy::lost, key, suspect);
    }
    return {};
  }

  // Indexes are built again, the intent of a session that ended says nothing any more.
  bool derived(const std::string& key) const {
    if (key.starts_with("x/")) return true;
    return key.starts_with("i/") && verdicts_.sessions.contains(key.substr(2));
  }

  Status plan_indexes() {
    for (const auto& name : LB_TRY(unlisted_packs(core_, verdicts_))) {
      auto bad = std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const Step& step) {
        return step.key == name && step.remedy != Remedy::heal;
      });
      if (!bad) plan_.steps.push_back({Remedy::index, name, "is in no index", {}, {}});
    }
    return {};
  }

  // The quarantines say what must be out of use: replaced when that has changed.
  Status plan_quarantines() {
    bool same = quarantine_.keys == set_aside_ && quarantine_.warnings.empty() &&
                quarantine_.objects.size() == (set_aside_.empty() ? 0 : 1);
    if (!same) plan_.to_forget = quarantine_.objects;
    return {};
  }

  void add(Remedy remedy, const std::string& key, const Suspect& suspect,
           const std::string& from = {}) {
    plan_.steps.push_back({remedy, key, suspect.problem, from, suspect.affected});
  }

  const repo::Core& core_;
  const std::vector<Source>& sources_;
  const std::stop_token stop_;
  Verdicts verdicts_;
  std::map<std::string, Suspect> suspects_;
  repo::Quarantine quarantine_;
  std::set<std::string> set_aside_;
  std::vector<std::string> hit_through_others_;
  RepairPlan plan_;
};

}  // namespace

Result<RepairPlan> plan_repair(repo::Repository& repository, const std::vector<Source>& sources,
                               std::stop_token stop, const RepairProgress& progress) {
  auto found = LB_TRY(repository.verify({}, stop, progress));
  return plan_repair_of(repository, found, sources, std::move(stop));
}

Result<RepairPlan> plan_repair_of(repo::Repository& repository, const repo::VerifyReport& found,
                                  const std::vector<Source>& sources, std::stop_token stop) {
  return Planner(*repository.core(), sources, std::move(stop)).run(found);
}

}  // namespace lb::repair
