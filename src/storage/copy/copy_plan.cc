#include "storage/copy/copy_plan.h"

#include <map>
#include <set>

#include "storage/repo/format.h"
#include "storage/repo/log_store.h"

namespace lb::copy {

namespace {

constexpr std::string_view verdict_prefix = "e/";

// The key of the whole segment when `key` is one of its tails.
std::optional<std::string> segment_of_tail(const std::string& key) {
  auto parsed = repo::parse_log_key(key);
  if (!parsed || parsed->kind != repo::LogKey::Kind::tail) return std::nullopt;
  return repo::log_key(parsed->name.store, parsed->name.timeline, parsed->name.segment);
}

class Planner {
 public:
  Planner(const Listing& source, const Listing& copy) {
    for (const auto* list : {&source.others, &source.verdicts}) {
      for (const auto& object : *list) source_.emplace(object.key, object.size);
    }
    for (const auto* list : {&copy.others, &copy.verdicts}) {
      for (const auto& object : *list) copy_.emplace(object.key, object.size);
    }
  }

  CopyPlan plan() {
    for (const auto& [key, size] : source_) place(key, size);
    for (const auto& [key, size] : copy_) {
      if (!phase_of(key)) continue;
      auto segment = segment_of_tail(key);
      if (segment && (source_.contains(*segment) || copy_.contains(*segment))) {
        plan_.superseded.push_back(key);
      } else if (!source_.contains(key)) {
        plan_.only_in_copy.push_back(key);
      }
    }
    return std::move(plan_);
  }

 private:
  void place(const std::string& key, std::uint64_t size) {
    auto phase = phase_of(key);
    auto segment = segment_of_tail(key);
    bool superseded = segment && (source_.contains(*segment) || copy_.contains(*segment));
    if (!phase || superseded) return;
    auto there = copy_.find(key);
    if (there == copy_.end()) {
      plan_.missing[static_cast<std::size_t>(*phase)].push_back({key, size});
      ++plan_.objects;
      plan_.bytes += size;
    } else if (there->second == size) {
      ++plan_.there;
    } else {
      plan_.conflicts.push_back({key, size});
    }
  }

  std::map<std::string, std::uint64_t> source_, copy_;
  CopyPlan plan_;
};

}  // namespace

std::optional<Phase> phase_of(std::string_view key) {
  if (key == repo::repo_key || key.starts_with("k/")) return Phase::opening;
  for (auto stays : {"i/", "g/", "d/", "l/", "q/"}) {
    if (key.starts_with(stays)) return std::nullopt;
  }
  if (key.starts_with("p/")) return Phase::packs;
  if (key.starts_with("w/")) return Phase::logs;
  // Pages of runbooks beside the records that prove them.
  if (key.starts_with("r/") || key.starts_with("runbooks/")) return Phase::records;
  if (key.starts_with(verdict_prefix)) return Phase::verdicts;
  return Phase::derived;
}

Result<Listing> take_listing(BlobStore& store) {
  Listing out;
  out.verdicts = LB_TRY(store.list(std::string(verdict_prefix)));
  auto all = LB_TRY(store.list(""));
  for (auto& object : all) {
    if (!object.key.starts_with(verdict_prefix)) out.others.push_back(std::move(object));
  }
  return out;
}

CopyPlan plan_copy(const Listing& source, const Listing& copy) {
  return Planner(source, copy).plan();
}

}  // namespace lb::copy
