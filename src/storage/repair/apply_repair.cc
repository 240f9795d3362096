#include <algorithm>

#include "foundation/base/text.h"
#include "storage/copy/key_witness.h"
#include "storage/copy/shape.h"
#include "storage/repair/index_rebuild.h"
#include "storage/repair/repair.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"
#include "storage/repo/quarantine.h"

namespace lb::repair {

namespace {

// Puts `good` where something damaged lies, or nothing. The caller has proven the bytes.
Status replace(BlobStore& blobs, const std::string& key, ByteView good) {
  auto there = read_here(blobs, key);
  bool missing = !there.ok() && there.error().kind() == ErrorKind::not_found;
  if (!missing) {
    auto bytes = LB_TRY(std::move(there));
    if (bytes && std::equal(bytes->begin(), bytes->end(), good.begin(), good.end())) return {};
    LB_TRY(blobs.remove(key).context(cat("take away the damaged ", key)));
  }
  LB_TRY(repo::put_once(blobs, key, good));
  auto back = LB_TRY(blobs.get(key));
  if (std::equal(back.begin(), back.end(), good.begin(), good.end())) return {};
  return Error(ErrorKind::corrupt, cat("the store does not give back what was put as ", key))
      .with_hint("its disk or service changes data: replace it");
}

class Repair {
 public:
  Repair(const repo::Core& core, const RepairPlan& plan, const std::vector<Source>& sources,
         std::stop_token stop)
      : core_(core), plan_(plan), sources_(sources), stop_(std::move(stop)) {}

  Result<RepairReport> run(const RepairProgress& progress) {
    bool something = std::any_of(plan_.steps.begin(), plan_.steps.end(),
                                 [](const Step& step) { return step.remedy != Remedy::lost; });
    if (!something && plan_.to_forget.empty()) {
      report_.lost = plan_.steps;
      return std::move(report_);
    }
    LB_TRY(announce());
    std::uint64_t done = 0;
    for (const auto& step : plan_.steps) {
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped; run repair again");
      if (step.remedy == Remedy::heal) LB_TRY(heal(step));
      if (step.remedy == Remedy::set_aside) ++report_.set_aside;
      if (step.remedy == Remedy::lost) report_.lost.push_back(step);
      if (progress) progress(++done, plan_.steps.size());
    }
    LB_TRY(core_.blobs.flush());
    LB_TRY(build_indexes());
    LB_TRY(remove_rest());
    LB_TRY(settle());
    return std::move(report_);
  }

 private:
  // From here on a crash leaves a list of what is under way.
  Status announce() {
    for (const auto& step : plan_.steps) {
      if (step.remedy == Remedy::set_aside) kept_.insert(step.key);
      if (step.remedy == Remedy::lost && step.key.starts_with("p/")) kept_.insert(step.key);
    }
    auto all = kept_;
    for (const auto& step : plan_.steps) {
      if (step.remedy == Remedy::heal) all.insert(step.key);
    }
    if (all.empty()) return {};
    return repo::put_quarantine(core_, all).context("announce the repair");
  }

  Status heal(const Step& step) {
    auto found = find_whole(core_, step.key, sources_);
    if (!found) {
      failed(step, cat("is no longer whole in ", step.from));
      return {};
    }
    // The packs of a snapshot are back, durably, before it is.
    if (step.key.starts_with("e/")) LB_TRY(core_.blobs.flush());
    auto replaced = replace(core_.blobs, step.key, found->bytes);
    if (!replaced.ok()) {
      auto kind = replaced.error().kind();
      bool store_fails = kind == ErrorKind::unavailable || kind == ErrorKind::timeout ||
                         kind == ErrorKind::exhausted;
      if (store_fails) return replaced;
      failed(step, replaced.error().text());
      return {};
    }
    ++report_.healed;
    report_.healed_bytes += found->bytes.size();
    return {};
  }

  void failed(const Step& step, const std::string& why) {
    kept_.insert(step.key);
    report_.failed.push_back(step);
    report_.failed.back().problem = why;
  }

  Status build_indexes() {
    std::vector<std::string> packs;
    for (const auto& step : plan_.steps) {
      if (step.remedy == Remedy::index) packs.push_back(step.key);
    }
    if (packs.empty()) return {};
    auto verdicts = LB_TRY(read_verdicts(core_, stop_));
    report_.indexed = LB_TRY(index_packs(core_, verdicts, packs, stop_));
    return {};
  }

  // After the new indexes are durable.
  Status remove_rest() {
    for (const auto& step : plan_.steps) {
      if (step.remedy != Remedy::remove) continue;
      auto removed = core_.blobs.remove(step.key);
      if (removed.ok()) ++report_.removed;
      if (!removed.ok()) failed(step, removed.error().text());
    }
    return {};
  }

  // What stays out of use is said once, durably, before all that said so earlier goes.
  Status settle() {
    auto before = LB_TRY(repo::read_quarantine(core_));
    bool said = before.objects.size() == 1 && before.keys == kept_ && before.warnings.empty();
    if (said) return core_.blobs.flush();
    if (!kept_.empty()) LB_TRY(repo::put_quarantine(core_, kept_));
    LB_TRY(core_.blobs.flush());
    for (const auto& object : before.objects) LB_TRY(core_.blobs.remove(object));
    return core_.blobs.flush();
  }

  const repo::Core& core_;
  const RepairPlan& plan_;
  const std::vector<Source>& sources_;
  const std::stop_token stop_;
  std::set<std::string> kept_;  // in quarantine when all is done
  RepairReport report_;
};

}  // namespace

Result<RepairReport> apply_repair(repo::Repository& repository, const RepairPlan& plan,
                                  const std::vector<Source>& sources, std::stop_token stop,
                                  const RepairProgress& progress) {
  return Repair(*repository.core(), plan, sources, std::move(stop)).run(progress);
}

Result<std::vector<Step>> heal_opening(BlobStore& blobs, const std::vector<Source>& sources,
                                       bool dry_run) {
  std::set<std::string> keys = {repo::repo_key};
  for (const auto& slot : LB_TRY(blobs.list("k/"))) keys.insert(slot.key);
  // Without any slot nobody could open it: that was no revocation.
  for (const auto& source : sources) {
    auto slots = keys.size() == 1 ? source.store->list("k/") : Result<std::vector<BlobInfo>>({});
    if (!slots.ok()) continue;
    for (const auto& slot : *slots) keys.insert(slot.key);
  }
  std::vector<Step> out;
  for (const auto& key : keys) {
    auto own = read_here(blobs, key);
    bool missing = !own.ok() && own.error().kind() == ErrorKind::not_found;
    std::optional<Buffer> bytes;
    if (!missing) bytes = LB_TRY(std::move(own));
    if (bytes && copy::check_shape(key, *bytes).ok()) continue;
    for (const auto& source : sources) {
      auto good = source.store->get(key);
      if (!good.ok() || !copy::check_shape(key, *good).ok()) continue;
      if (!dry_run) {
        LB_TRY(replace(blobs, key, *good));
        LB_TRY(blobs.flush());
      }
      out.push_back({Remedy::heal, key, missing ? "is missing" : "is damaged", source.name, {}});
      break;
    }
  }
  return out;
}

}  // namespace lb::repair
