#include "storage/collect/repack_plan.h"

#include <algorithm>

#include "storage/collect/collector.h"

namespace lb::repo {

namespace {

class Planner {
 public:
  Planner(const FrameSurvey& survey, const std::vector<BlobInfo>& there,
          const std::set<std::string>& unusable, const RepackOptions& options, Timestamp now)
      : survey_(survey), unusable_(unusable), options_(options), now_(now) {
    for (const auto& pack : there) there_.emplace(pack.key, &pack);
  }

  RepackPlan run() {
    for (const auto& [name, named] : survey_.named()) {
      if (auto instead = moved(name, named.live)) out_.moved.emplace(name, *instead);
    }
    count_live();
    auto worth = candidates();
    choose(std::move(worth));
    count_moved_already();
    return std::move(out_);
  }

 private:
  bool usable(const std::string& name, std::uint64_t bytes) const {
    auto found = there_.find(name);
    return found != there_.end() && found->second->size == bytes && !unusable_.contains(name);
  }

  // Who has everything that is named of the pack. With nothing named it need not stand anywhere.
  std::optional<Instead> moved(const std::string& name, const FrameSet& named) const {
    for (const auto& each : survey_.moves().all()) {
      const auto& by = *each.second;
      const auto* from = by.find(name);
      if (from == nullptr) continue;
      Instead out{&by, from};
      auto frames = named.numbers();
      bool all = std::all_of(frames.begin(), frames.end(), [&](std::uint32_t frame) {
        const auto* found = by.find(name, frame);
        return found != nullptr && usable(by.packs[found->pack].name, by.packs[found->pack].bytes);
      });
      if (all) return out;
    }
    return std::nullopt;
  }

  void count_live() {
    for (const auto& [name, named] : survey_.named()) {
      auto instead = out_.moved.find(name);
      if (instead == out_.moved.end()) {
        auto& live = live_[name];
        for (auto frame : named.live.numbers()) live.add(frame, 0);
        live.bytes += named.live.bytes;
        continue;
      }
      for (auto frame : named.live.numbers()) {
        auto place = *instead->second.place(frame);
        live_[place.pack].add(place.frame, place.size);
      }
    }
  }

  std::vector<RepackPlan::Pack> candidates() const {
    std::vector<RepackPlan::Pack> out;
    for (const auto& [name, live] : live_) {
      auto found = there_.find(name);
      if (found == there_.end() || !usable(name, found->second->size)) continue;
      if (!survey_.ended(session_of_pack(name)) || survey_.kept().contains(name)) continue;
      const auto& object = *found->second;
      auto part = static_cast<double>(live.bytes) / static_cast<double>(object.size);
      if (part >= options_.below || locked(object)) continue;
      out.push_back({name, object.size, live.bytes, live.numbers()});
    }
    return out;
  }

  bool locked(const BlobInfo& pack) const {
    return options_.locked && now_ - pack.modified < *options_.locked;
  }

  // Those first that free most for what is written. One always, so that it goes on also where a
  // pack is large beside the budget.
  void choose(std::vector<RepackPlan::Pack> worth) {
    std::uint64_t all = 0;
    for (const auto& [name, object] : there_) all += object->size;
    auto budget = options_.budget_bytes.value_or(
        static_cast<std::uint64_t>(static_cast<double>(all) * options_.budget_share));
    std::stable_sort(worth.begin(), worth.end(), [](const auto& a, const auto& b) {
      return static_cast<double>(a.live_bytes) * static_cast<double>(b.bytes) <
             static_cast<double>(b.live_bytes) * static_cast<double>(a.bytes);
    });
    for (auto& pack : worth) {
      bool fits = out_.live_bytes + pack.live_bytes <= budget || (budget > 0 && out_.packs.empty());
      if (!fits) {
        ++out_.beyond_budget;
        continue;
      }
      out_.bytes += pack.bytes;
      out_.live_bytes += pack.live_bytes;
      out_.packs.push_back(std::move(pack));
    }
    std::sort(out_.packs.begin(), out_.packs.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
  }

  // Were they not named directly, they would have been condemned.
  void count_moved_already() {
    for (const auto& [name, instead] : out_.moved) {
      auto found = there_.find(name);
      bool in_the_way = found != there_.end() && usable(name, found->second->size) &&
                        !live_.contains(name) && !survey_.kept().contains(name) &&
                        !locked(*found->second);
      if (!in_the_way) continue;
      ++out_.moved_already;
      out_.moved_already_bytes += found->second->size;
    }
  }

  const FrameSurvey& survey_;
  const std::set<std::string>& unusable_;
  const RepackOptions& options_;
  const Timestamp now_;
  std::map<std::string, const BlobInfo*> there_;
  std::map<std::string, FrameSet> live_;  // frames where they lie now
  RepackPlan out_;
};

}  // namespace

RepackPlan plan_repack(const FrameSurvey& survey, const std::vector<BlobInfo>& there,
                       const std::set<std::string>& unusable, const RepackOptions& options,
                       Timestamp now) {
  return Planner(survey, there, unusable, options, now).run();
}

}  // namespace lb::repo
