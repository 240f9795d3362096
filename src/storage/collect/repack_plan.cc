#include "storage/collect/repack_plan.h"

#include <algorithm>

#include "storage/collect/collector.h"

namespace lb::repo {

namespace {

// In one run: what is known of each takes memory.
constexpr std::size_t packs_max = 64 << 10;

// Whether the new verdict could say of each chunk where it lies.
bool covers(const MovedPack& from, const std::vector<LiveChunk>& chunks) {
  return std::all_of(chunks.begin(), chunks.end(), [&](const LiveChunk& chunk) {
    const auto* frame = from.find(chunk.frame);
    return frame != nullptr && from.offset_in(*frame, chunk.offset, chunk.length);
  });
}

}  // namespace

RepackPlanner::RepackPlanner(FrameSurvey& survey, const std::vector<BlobInfo>& there,
                             const std::set<std::string>& unusable, const RepackOptions& options,
                             Timestamp now)
    : survey_(survey), unusable_(unusable), options_(options), now_(now), there_(there) {}

const BlobInfo* RepackPlanner::find(const std::string& pack) const {
  auto found =
      std::lower_bound(there_.begin(), there_.end(), pack,
                       [](const BlobInfo& each, const std::string& key) { return each.key < key; });
  return found != there_.end() && found->key == pack ? &*found : nullptr;
}

void RepackPlanner::sort_out() {
  moved_.clear();
  named_by_.clear();
  unclear_.clear();
  pinned_by_.clear();
  for (const auto& [name, named] : survey_.named()) sort_out(name, named);
}

void RepackPlanner::sort_out(const std::string& name, const FrameSurvey::Named& named) {
  auto instead = moved_by(name, named);
  if (!instead) return;
  moved_.emplace(name, *instead);
  for (auto number : named.live.numbers()) {
    const auto* frame = instead->from->find(number);
    named_by_[instead->by->packs[frame->pack].name].insert(name);
  }
}

bool RepackPlanner::usable(const std::string& name, std::uint64_t bytes) const {
  const auto* found = find(name);
  return found != nullptr && found->size == bytes && !unusable_.contains(name);
}

bool RepackPlanner::has_all(const Moved& by, const MovedPack& from, const FrameSet& named) const {
  auto frames = named.numbers();
  return std::all_of(frames.begin(), frames.end(), [&](std::uint32_t frame) {
    const auto* found = from.find(frame);
    return found != nullptr && usable(by.packs[found->pack].name, by.packs[found->pack].bytes);
  });
}

// Of the snapshots that were there.
bool RepackPlanner::knew_all(const Moved& by) const {
  const auto& looked = survey_.looked();
  return std::all_of(looked.begin(), looked.lower_bound(by.session), [&](const auto& each) {
    auto found = by.looked.find(each.first);
    return found != by.looked.end() && found->second == each.second;
  });
}

// Who has everything that is named of the pack. With nothing named it need not stand anywhere.
// Snapshots that a repacking did not look at may name chunks that it left behind. The pack itself
// being gone, the newest that moved it looked at all that name it, unless the table of one could
// not be read then.
std::optional<Instead> RepackPlanner::moved_by(const std::string& name,
                                               const FrameSurvey::Named& named) {
  std::vector<Instead> known;
  for (const auto& each : survey_.moves().all()) {
    const auto* from = each.second->find(name);
    if (from != nullptr) known.push_back({each.second.get(), from});
  }
  if (known.empty()) return std::nullopt;
  const auto* chunks = survey_.chunks_of(name);
  for (const auto& each : known) {
    if (!has_all(*each.by, *each.from, named.live)) continue;
    if (chunks != nullptr && covers(*each.from, *chunks)) return each;
  }
  if (chunks != nullptr) {
    if (find(name) == nullptr) pin(name);
    return std::nullopt;
  }
  const auto& newest = known.front();
  bool gone = find(name) == nullptr;
  if (gone && knew_all(*newest.by) && has_all(*newest.by, *newest.from, named.live)) return newest;
  unclear_.insert(name);
  pin(name);
  return std::nullopt;
}

void RepackPlanner::pin(const std::string& name) {
  for (const auto& [session, by] : survey_.moves().all()) {
    const auto* from = by->find(name);
    if (from == nullptr) continue;
    for (const auto* pack : Instead{by.get(), from}.packs()) pinned_by_[pack->name].insert(name);
  }
}

FrameSet RepackPlanner::live_frames(const std::string& pack) const {
  auto direct = survey_.named().find(pack);
  bool is_direct = direct != survey_.named().end() && !moved_.contains(pack);
  auto live = is_direct ? direct->second.live : FrameSet();
  auto others = named_by_.find(pack);
  if (others == named_by_.end()) return live;
  for (const auto& name : others->second) {
    const auto& named = survey_.named().at(name).live;
    const auto& instead = moved_.at(name);
    for (auto number : named.numbers()) {
      const auto* frame = instead.from->find(number);
      if (instead.by->packs[frame->pack].name != pack) continue;
      live.add_moved(named, *instead.from, *frame);
    }
  }
  return live;
}

bool RepackPlanner::may_be_given_up(const std::string& pack) const {
  const auto* found = find(pack);
  return found != nullptr && usable(pack, found->size) && survey_.ended(session_of_pack(pack)) &&
         !survey_.kept().contains(pack) &&
         !(options_.locked && now_ - found->modified < *options_.locked);
}

// Those first that free most for what is written.
std::vector<RepackPlanner::Candidate> RepackPlanner::candidates() const {
  std::vector<Candidate> out;
  for (const auto& object : there_) {
    const auto& name = object.key;
    bool live =
        named_by_.contains(name) || (survey_.named().contains(name) && !moved_.contains(name));
    if (!live || !may_be_given_up(name)) continue;
    Candidate candidate{name, object.size, live_frames(name).live_bytes()};
    auto part = static_cast<double>(candidate.live_bytes) / static_cast<double>(object.size);
    if (part < options_.below) out.push_back(std::move(candidate));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return static_cast<double>(a.live_bytes) * static_cast<double>(b.bytes) <
           static_cast<double>(b.live_bytes) * static_cast<double>(a.bytes);
  });
  return out;
}

std::uint64_t RepackPlanner::budget() const {
  std::uint64_t all = 0;
  for (const auto& object : there_) all += object.size;
  auto budget = options_.budget_bytes.value_or(
      static_cast<std::uint64_t>(static_cast<double>(all) * options_.budget_share));
  return std::min(budget, options_.room);
}

void RepackPlanner::watch(const std::string& pack, std::vector<std::string>& out) const {
  out.push_back(pack);
  for (const auto* by : {&named_by_, &pinned_by_}) {
    auto others = by->find(pack);
    if (others == by->end()) continue;
    out.insert(out.end(), others->second.begin(), others->second.end());
  }
}

Result<RepackPlanner::Worth> RepackPlanner::seems_worth(const ShapeOf& shape_of,
                                                        const std::set<std::string>& without) {
  sort_out();
  Worth out;
  for (const auto& name : unclear_) {
    if (find(name) != nullptr) out.watched.push_back(name);
  }
  std::uint64_t live_bytes = 0, limit = budget();
  for (const auto& each : candidates()) {
    if (without.contains(each.name)) continue;
    bool full = live_bytes >= limit && (!out.packs.empty() || limit == 0);
    if (full || out.packs.size() >= packs_max) {
      ++out.beyond_budget;
      continue;
    }
    const auto* shape = LB_TRY(shape_of(each.name, each.bytes));
    if (shape == nullptr) continue;
    auto live = live_frames(each.name).live_bytes(*shape);
    if (static_cast<double>(live) >= options_.below * static_cast<double>(each.bytes)) continue;
    if (live_bytes + live > limit && !out.packs.empty()) {
      ++out.beyond_budget;
      continue;
    }
    live_bytes += live;
    out.packs.push_back(each.name);
    watch(each.name, out.watched);
  }
  return out;
}

// Nothing: not all of them are known.
std::optional<std::vector<LiveChunk>> RepackPlanner::live_chunks(const std::string& pack) {
  std::vector<LiveChunk> out;
  bool is_direct = survey_.named().contains(pack) && !moved_.contains(pack);
  if (is_direct) {
    const auto* chunks = survey_.chunks_of(pack);
    if (chunks == nullptr) return std::nullopt;
    out = *chunks;
  }
  auto others = named_by_.find(pack);
  if (others == named_by_.end()) return out;
  for (const auto& name : others->second) {
    const auto* chunks = survey_.chunks_of(name);
    if (chunks == nullptr) return std::nullopt;
    const auto& [by, from] = moved_.at(name);
    for (const auto& chunk : *chunks) {
      const auto* frame = from->find(chunk.frame);
      if (by->packs[frame->pack].name != pack) continue;
      auto offset = from->offset_in(*frame, chunk.offset, chunk.length);
      out.push_back({frame->number, *offset, chunk.length});
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

RepackPlan RepackPlanner::plan(const Worth& worth) {
  sort_out();
  RepackPlan out;
  out.budget = budget();
  out.beyond_budget = worth.beyond_budget;
  for (const auto& name : worth.packs) {
    if (!may_be_given_up(name)) continue;
    auto live = pinned_by_.contains(name) ? std::nullopt : live_chunks(name);
    if (!live) {
      ++out.beyond_budget;
      continue;
    }
    out.packs.push_back({name, find(name)->size, 0, std::move(*live), {}});
  }
  count_moved_already(out);
  out.moved = std::move(moved_);
  return out;
}

// Were they not named directly, they would have been condemned.
void RepackPlanner::count_moved_already(RepackPlan& out) const {
  for (const auto& [name, instead] : moved_) {
    if (!may_be_given_up(name) || named_by_.contains(name)) continue;
    ++out.moved_already;
    out.moved_already_bytes += find(name)->size;
  }
}

}  // namespace lb::repo
