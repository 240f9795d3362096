#include "storage/copy/sync.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/copy/byte_budget.h"
#include "storage/copy/shape.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"

namespace lb::copy {

namespace {

constexpr std::uint64_t piece_bytes = 1 << 20;
// One bad sector must not end the work; a source that is gone must not be read to its end.
constexpr int failures_in_a_row_max = 8;
constexpr int listings_max = 10;

using Group = std::vector<BlobInfo>;  // copied one after another

// Segments of one log come in their order, so that the copy of a log never has a hole that the log
// itself has not. Everything else is copied in any order.
std::vector<Group> groups_of(Phase phase, const std::vector<BlobInfo>& objects) {
  std::vector<Group> out;
  std::string folder;
  for (const auto& object : objects) {
    auto of_this = object.key.substr(0, object.key.rfind('/'));
    bool joins = phase == Phase::logs && !out.empty() && folder == of_this;
    if (!joins) out.emplace_back();
    out.back().push_back(object);
    folder = of_this;
  }
  return out;
}

class Sync {
 public:
  Sync(BlobStore& source, BlobStore& copy, const SyncOptions& options, std::stop_token stop,
       const CopyProgress& progress)
      : source_(source),
        copy_(copy),
        options_(options),
        stop_(std::move(stop)),
        progress_(progress),
        budget_(options.memory_bytes) {}

  Result<SyncReport> run() {
    auto in_source = LB_TRY(list_source().context("list the repository"));
    auto in_copy = LB_TRY(take_listing(copy_).context("list the copy"));
    LB_TRY(check_same_repository(source_, copy_, in_source, in_copy));
    plan_ = plan_copy(in_source, in_copy);
    report_.there = plan_.there;
    report_.only_in_copy = plan_.only_in_copy;
    for (const auto& object : plan_.conflicts) {
      trouble(report_.conflicts, object.key, "has another size in the copy");
    }
    for (std::size_t phase = 0; phase < phase_count; ++phase) {
      LB_TRY(run_phase(static_cast<Phase>(phase)));
    }
    LB_TRY(remove_superseded());
    return std::move(report_);
  }

 private:
  // A repacking that ends while the objects are listed may have packs taken away before they are
  // listed, whose verdict came after the verdicts were: then all is listed again.
  Result<Listing> list_source() {
    for (int attempt = 0; attempt < listings_max; ++attempt) {
      auto listing = LB_TRY(take_listing(source_));
      std::set<std::string> known;
      for (const auto& verdict : listing.verdicts) known.insert(verdict.key);
      bool repacked = false;
      for (const auto& verdict : LB_TRY(source_.list("e/"))) {
        repacked |= !known.contains(verdict.key) && may_be_of_repacking(source_, verdict.key);
      }
      if (!repacked) return listing;
    }
    return Error(ErrorKind::unavailable, "repackings come and go without end");
  }

  Status run_phase(Phase phase) {
    const auto& objects = plan_.missing[static_cast<std::size_t>(phase)];
    if (objects.empty()) return {};
    if (phase == Phase::verdicts) {
      LB_TRY(copy_verdicts(objects));
    } else {
      auto groups = groups_of(phase, objects);
      LB_TRY(for_each_parallel(groups.size(), options_.workers, stop_,
                               [&](std::size_t i) { return copy_group(groups[i]); }));
    }
    if (phase == Phase::opening) LB_TRY(copy_.info(repo::repo_key).status());
    return copy_.flush().context("make the copy durable");
  }

  Status copy_group(const Group& group) {
    for (const auto& object : group) LB_TRY(copy_object(object));
    return {};
  }

  Status copy_object(const BlobInfo& object) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    ByteBudget::Share share(budget_, object.size, stop_);
    auto bytes = LB_TRY(read(object));
    if (!bytes) return {};
    return write(object, *bytes);
  }

  // nullopt: it is not to be had, and that has been noted.
  Result<std::optional<Buffer>> read(const BlobInfo& object) {
    auto bytes = source_.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) {
      std::lock_guard lock(mutex_);
      ++report_.gone;
      gone_.insert(object.key);
      return std::optional<Buffer>();
    }
    if (!bytes.ok()) {
      if (++failures_ >= failures_in_a_row_max) return std::move(bytes).take_error();
      trouble(report_.unreadable, object.key, bytes.error().text());
      return std::optional<Buffer>();
    }
    failures_ = 0;
    auto good = check_shape(object.key, *bytes);
    if (good.ok() && options_.witness != nullptr) {
      good = options_.witness->prove(object.key, *bytes);
    }
    if (good.ok()) return std::optional<Buffer>(std::move(bytes).take());
    trouble(report_.unreadable, object.key, good.error().message());
    return std::optional<Buffer>();
  }

  Status write(const BlobInfo& object, ByteView bytes) {
    auto put = repo::put_once(copy_, object.key, bytes);
    if (!put.ok() && put.error().kind() == ErrorKind::conflict) {
      trouble(report_.conflicts, object.key, "holds other bytes in the copy");
      return {};
    }
    LB_TRY(std::move(put).context(cat("copy ", object.key)));
    if (options_.read_back) LB_TRY(read_back(object.key, bytes));
    std::lock_guard lock(mutex_);
    ++report_.objects;
    report_.bytes += bytes.size();
    if (progress_) progress_(report_.bytes, plan_.bytes);
    return {};
  }

  Status read_back(const std::string& key, ByteView bytes) {
    for (std::uint64_t at = 0; at < bytes.size(); at += piece_bytes) {
      auto size = std::min<std::uint64_t>(piece_bytes, bytes.size() - at);
      auto piece = copy_.get_range(key, at, size);
      if (!piece.ok() && piece.error().kind() != ErrorKind::corrupt) {
        return std::move(piece).take_error().context(cat("read back ", key));
      }
      auto wanted = bytes.subspan(at, size);
      bool same = piece.ok() && std::equal(wanted.begin(), wanted.end(), piece->begin());
      if (same) continue;
      // It came from here a moment ago and nothing refers to it yet; left in place it would keep
      // the good bytes out for ever.
      auto removed = copy_.remove(key);
      auto error =
          Error(ErrorKind::corrupt, cat("the copy does not give back what was put as ", key))
              .with_hint("the disk or the service of the copy changes data");
      if (!removed.ok()) return std::move(error).with_left(cat("the bad object ", key));
      return error;
    }
    return {};
  }

  // First those of repackings, which stand for packs that snapshots name. Each of both in the order
  // of time: a snapshot names the one before it.
  Status copy_verdicts(const std::vector<BlobInfo>& verdicts) {
    if (LB_TRY(copy_.list("k/")).empty()) {
      for (const auto& object : verdicts) {
        trouble(report_.held, object.key, "no key slot has been copied: nobody could open it");
      }
      return {};
    }
    std::map<std::string, std::uint64_t> there;
    if (options_.witness != nullptr) {
      for (const char* prefix : {"p/", "e/"}) {
        for (const auto& object : LB_TRY(copy_.list(prefix)))
          there.emplace(object.key, object.size);
      }
      for (const auto& bad : report_.conflicts) there.erase(bad.key);
    }
    std::vector<BlobInfo> repackings, snapshots;
    for (const auto& object : verdicts) {
      bool first = may_be_of_repacking(source_, object.key);
      (first ? repackings : snapshots).push_back(object);
      if (first) repackings_.insert(object.key);
    }
    LB_TRY(copy_complete(repackings, there));
    if (!repackings.empty()) LB_TRY(copy_.flush());
    return copy_complete(snapshots, there);
  }

  // All but those that lack something.
  Status copy_complete(const std::vector<BlobInfo>& verdicts,
                       std::map<std::string, std::uint64_t>& there) {
    for (const auto& object : verdicts) {
      if (options_.skip.contains(object.key)) continue;
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      ByteBudget::Share share(budget_, object.size, stop_);
      auto bytes = LB_TRY(read(object));
      if (!bytes) continue;
      auto lacks = options_.witness != nullptr ? lacking(object.key, *bytes, there) : in_doubt();
      if (lacks.empty()) {
        LB_TRY(write(object, *bytes));
        there.emplace(object.key, object.size);
      } else {
        trouble(report_.held, object.key, lacks);
      }
    }
    return {};
  }

  // Why the copy must not show this verdict yet; empty when it may.
  std::string lacking(const std::string& key, ByteView bytes,
                      const std::map<std::string, std::uint64_t>& there) {
    auto needed = options_.witness->needs_of(key, bytes);
    if (!needed.ok()) return needed.error().message();
    for (const auto& object : *needed) {
      auto found = there.find(object.key);
      if (found == there.end()) return cat("needs ", object.key, ", which the copy has not");
      if (found->second != object.size)
        return cat("needs ", object.key, ", which is damaged there");
    }
    return {};
  }

  // The same for all who have no key: what a verdict needs is sealed, so whatever could not be
  // copied may be it.
  std::string in_doubt() {
    for (const auto* list : {&report_.unreadable, &report_.conflicts}) {
      for (const auto& bad : *list) {
        bool verdict = bad.key.starts_with("e/") && may_be_of_repacking(source_, bad.key);
        if (verdict || bad.key.starts_with("p/")) {
          return cat("may need ", bad.key, ", which was not copied");
        }
      }
    }
    for (const auto& key : gone_) {
      if (!key.starts_with("p/") && !repackings_.contains(key)) continue;
      return cat("may need ", key, ", which was removed here meanwhile");
    }
    return {};
  }

  Status remove_superseded() {
    for (const auto& tail : plan_.superseded) {
      auto segment = tail.substr(0, tail.rfind(".t"));
      auto there = copy_.info(segment);
      if (!there.ok() && there.error().kind() == ErrorKind::not_found) continue;
      LB_TRY(there.status().context("look for superseded parts of a log"));
      LB_TRY(copy_.remove(tail));
    }
    return plan_.superseded.empty() ? Status() : copy_.flush();
  }

  void trouble(std::vector<Trouble>& list, const std::string& key, const std::string& problem) {
    std::lock_guard lock(mutex_);
    list.push_back({key, problem});
  }

  BlobStore& source_;
  BlobStore& copy_;
  const SyncOptions options_;
  const std::stop_token stop_;
  const CopyProgress progress_;
  ByteBudget budget_;
  CopyPlan plan_;
  std::mutex mutex_;  // report_
  SyncReport report_;
  std::set<std::string> gone_, repackings_;
  std::atomic<int> failures_{0};
};

Error refusal(BlobStore& copy, const std::string& why) {
  return Error(ErrorKind::denied, cat("the copy in ", copy.describe(), " ", why))
      .with_exit(ExitCode::refused)
      .with_hint("a copy begins in an empty place and holds one repository");
}

// A copy that lost its `repo`, or was cut off before it was durable: names of packs and verdicts
// hold 80 random bits, so that one in common is enough.
bool is_of_the_same(const Listing& in_source, const Listing& in_copy) {
  std::set<std::string> known;
  for (const auto* list : {&in_source.others, &in_source.verdicts}) {
    for (const auto& object : *list) known.insert(object.key);
  }
  bool all_known = true;
  for (const auto* list : {&in_copy.others, &in_copy.verdicts}) {
    for (const auto& object : *list) {
      bool shared = known.contains(object.key);
      auto phase = phase_of(object.key);
      if (shared && (phase == Phase::packs || phase == Phase::verdicts)) return true;
      all_known = all_known && shared;
    }
  }
  return all_known;
}

}  // namespace

Status check_same_repository(BlobStore& source, BlobStore& copy, const Listing& in_source,
                             const Listing& in_copy) {
  auto own = source.get(repo::repo_key);
  if (!own.ok() && own.error().kind() == ErrorKind::not_found) {
    return Error(ErrorKind::not_found, cat("there is no repository in ", source.describe()))
        .with_exit(ExitCode::no_repository);
  }
  auto bytes = LB_TRY(std::move(own));
  LB_TRY(check_shape(repo::repo_key, bytes).hint("lifeboat repair --from COPY brings it back"));
  auto there = copy.get(repo::repo_key);
  if (there.ok()) {
    if (*there == bytes) return {};
    bool whole = check_shape(repo::repo_key, *there).ok();
    return refusal(copy, whole ? "is another repository" : "has a damaged object repo");
  }
  if (there.error().kind() != ErrorKind::not_found) return there.status();
  if (is_of_the_same(in_source, in_copy)) return {};
  return refusal(copy, "is neither empty nor a copy of this repository");
}

Result<SyncReport> sync_copy(BlobStore& source, BlobStore& copy, const SyncOptions& options,
                             std::stop_token stop, const CopyProgress& progress) {
  return Sync(source, copy, options, std::move(stop), progress).run();
}

}  // namespace lb::copy
