#include "storage/copy/compare.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/copy/shape.h"

namespace lb::copy {

namespace {

constexpr std::uint64_t piece_bytes = 1 << 20;

class Compare {
 public:
  Compare(BlobStore& source, BlobStore& copy, const SyncOptions& options,
          const CopyProgress& progress)
      : source_(source), copy_(copy), options_(options), progress_(progress) {}

  Result<CompareReport> run(std::stop_token stop) {
    auto in_source = LB_TRY(take_listing(source_).context("list the repository"));
    auto in_copy = LB_TRY(take_listing(copy_).context("list the copy"));
    LB_TRY(check_same_repository(source_, copy_, in_source, in_copy));
    auto plan = plan_copy(in_source, in_copy);
    report_.missing = plan.objects;
    report_.only_in_copy = plan.only_in_copy;
    for (const auto& object : plan.conflicts) {
      report_.different.push_back({object.key, blame(object.key)});
    }
    auto both = alike_in_size(in_source, in_copy);
    for (const auto& object : both) total_ += object.size;
    LB_TRY(for_each_parallel(both.size(), options_.workers, stop,
                             [&](std::size_t i) { return compare(both[i], stop); }));
    std::sort(report_.different.begin(), report_.different.end(),
              [](const Trouble& a, const Trouble& b) { return a.key < b.key; });
    return std::move(report_);
  }

 private:
  static std::vector<BlobInfo> alike_in_size(const Listing& in_source, const Listing& in_copy) {
    std::map<std::string, std::uint64_t> there;
    for (const auto* list : {&in_copy.others, &in_copy.verdicts}) {
      for (const auto& object : *list) there.emplace(object.key, object.size);
    }
    std::vector<BlobInfo> both;
    for (const auto* list : {&in_source.others, &in_source.verdicts}) {
      for (const auto& object : *list) {
        auto found = there.find(object.key);
        bool alike = found != there.end() && found->second == object.size;
        if (alike && phase_of(object.key)) both.push_back(object);
      }
    }
    return both;
  }

  Status compare(const BlobInfo& object, const std::stop_token& stop) {
    auto problem = LB_TRY(difference(object, stop));
    std::lock_guard lock(mutex_);
    ++report_.objects;
    report_.bytes += object.size;
    if (!problem.empty()) report_.different.push_back({object.key, problem});
    if (progress_) progress_(report_.bytes, total_);
    return {};
  }

  // Empty: the same bytes, or the object went away meanwhile, as superseded parts of a log do.
  Result<std::string> difference(const BlobInfo& object, const std::stop_token& stop) {
    for (std::uint64_t at = 0; at < object.size; at += piece_bytes) {
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      auto size = std::min(piece_bytes, object.size - at);
      auto ours = source_.get_range(object.key, at, size);
      auto theirs = copy_.get_range(object.key, at, size);
      for (auto* side : {&ours, &theirs}) {
        if (!side->ok() && side->error().kind() == ErrorKind::not_found) return std::string();
      }
      bool same = ours.ok() && theirs.ok() && *ours == *theirs;
      if (!same) return blame(object.key);
    }
    return std::string();
  }

  std::string blame(const std::string& key) {
    bool source_good = good(source_, key), copy_good = good(copy_, key);
    if (source_good && !copy_good) return "is damaged in the copy";
    if (copy_good && !source_good) return "is damaged in the repository, whole in the copy";
    return source_good ? "differs, and both look whole" : "is damaged in both";
  }

  bool good(BlobStore& store, const std::string& key) {
    auto bytes = store.get(key);
    if (!bytes.ok() || !check_shape(key, *bytes).ok()) return false;
    return options_.witness == nullptr || options_.witness->prove(key, *bytes).ok();
  }

  BlobStore& source_;
  BlobStore& copy_;
  const SyncOptions options_;
  const CopyProgress progress_;
  std::uint64_t total_ = 0;
  std::mutex mutex_;
  CompareReport report_;
};

}  // namespace

Result<CompareReport> compare_copy(BlobStore& source, BlobStore& copy, const SyncOptions& options,
                                   std::stop_token stop, const CopyProgress& progress) {
  return Compare(source, copy, options, progress).run(std::move(stop));
}

}  // namespace lb::copy
