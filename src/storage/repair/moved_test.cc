// Copies and repair of a repository whose packs were given up by repacking.
#include <gtest/gtest.h>

#include <atomic>

#include "storage/blob/fault_blob_store.h"
#include "storage/blob/healing_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/copy/care.h"
#include "storage/copy/key_witness.h"
#include "storage/copy/sync.h"
#include "storage/repair/repair.h"
#include "storage/repo/format.h"
#include "storage/repo/test_repository.h"

namespace lb::repair {
namespace {

using repo::Content;

class MovedPacks : public repo::MemoryRepository {
 protected:
  static Content files(int count, int step) {
    Content out;
    for (int i = 0; i < count; i += step) {
      out[cat("f", 100 + i)] = repo::noise(static_cast<std::uint64_t>(i) + 1, 150'000);
    }
    return out;
  }
  MovedPacks() {
    old_id = back_up(files(30, 1)).id;
    kept_id = back_up(files(30, 6)).id;
  }
  // Forgets the old point where `core` is, and frees what is left.
  void thin_out(const repo::Core& core) {
    EXPECT_TRUE(repo::forget(core, {old_id}, clock.now()).ok());
    EXPECT_TRUE(repo::Collector(core, {}, {}).run().ok());
    auto moved = repo::Repacker(core, {.below = 0.9, .budget_share = 1}, {}, {}).run({});
    ASSERT_TRUE(moved.ok()) << moved.error().text();
    EXPECT_GT(moved->packs, 0u);
    EXPECT_TRUE(repo::Collector(core, {}, {}).run().ok());
  }
  void thin_out() { thin_out(*repository->core()); }

  Result<copy::SyncReport> sync(BlobStore& from, BlobStore& to, bool with_key) {
    copy::KeyWitness witness(*repository->core());
    copy::SyncOptions options;
    if (with_key) options.witness = &witness;
    options.skip = LB_TRY(copy::ended_verdicts(*repository->core(), nullptr));
    auto report = LB_TRY(copy::sync_copy(from, to, options, {}, {}));
    auto there = LB_TRY(open_copy(*repository, to));
    LB_TRY(copy::share_care(*repository->core(), *there->core()));
    return report;
  }
  void expect_read(BlobStore& store, const std::string& where) {
    auto content = repo::read_snapshot(*open(store), kept_id);
    ASSERT_TRUE(content.ok()) << where << content.error().text();
    EXPECT_EQ(*content, files(30, 6)) << where;
  }
  void expect_kept(BlobStore& store, const std::string& where = {}) {
    expect_read(store, where);
    auto opened = open(store);
    ASSERT_NE(opened, nullptr);
    auto report = opened->verify({}, {}, {});
    ASSERT_TRUE(report.ok()) << where << report.error().text();
    EXPECT_TRUE(report->clean()) << where << repo::describe(*report);
  }
  std::vector<Source> from_copy() { return {{"copy", &copy}}; }
  void repair_from_copy() {
    auto plan = plan_repair(*repository, from_copy(), {}, {});
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    auto report = apply_repair(*repository, *plan, from_copy(), {}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    for (const auto& step : report->failed) ADD_FAILURE() << step.key << " " << step.problem;
    for (const auto& step : report->lost) ADD_FAILURE() << step.key << " " << step.problem;
  }

  std::string old_id, kept_id;
  MemoryBlobStore copy;
};

TEST_F(MovedPacks, ANewCopyIsWhole) {
  thin_out();
  for (bool with_key : {true, false}) {
    MemoryBlobStore to;
    auto report = sync(blobs, to, with_key);
    ASSERT_TRUE(report.ok()) << report.error().text();
    EXPECT_TRUE(report->whole());
    expect_kept(to);
  }
}

TEST_F(MovedPacks, AnOlderCopyKeepsItsOwnPointsAndGetsTheRest) {
  ASSERT_TRUE(sync(blobs, copy, true).ok());
  thin_out();
  auto report = sync(blobs, copy, true);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->whole());
  expect_kept(copy);
  auto there = open_copy(*repository, copy).take();
  EXPECT_EQ(repo::read_snapshot(*there, old_id).value(), files(30, 1));
  // Its own collection: the old point needs the old packs there.
  ASSERT_TRUE(repo::Collector(*there->core(), {}, {}).run().ok());
  EXPECT_EQ(repo::read_snapshot(*there, old_id).value(), files(30, 1));
  ASSERT_TRUE(repo::forget(*there->core(), {old_id}, clock.now()).ok());
  auto freed = repo::Collector(*there->core(), {}, {}).run();
  ASSERT_TRUE(freed.ok());
  EXPECT_GT(freed->deleted_packs, 0u);
  expect_kept(copy);
}

// That what was forgotten is no loss is told last.
TEST_F(MovedPacks, AnythingThatFailsLeavesTheCopyWhole) {
  thin_out();
  for (auto fault : {BlobFault::fail, BlobFault::timed_out_applied}) {
    for (std::uint64_t nth = 0;; ++nth) {
      MemoryBlobStore to;
      FaultBlobStore faulty(to, {.nth = nth, .fault = fault});
      auto report = sync(blobs, faulty, true);
      auto where = cat("call ", nth, ": ");
      to.crash();
      if (to.info(repo::verdict_key(kept_id)).ok()) expect_read(to, where);
      auto again = sync(blobs, to, true);
      ASSERT_TRUE(again.ok() && again->whole()) << where;
      expect_kept(to, cat(where, "after another run: "));
      if (HasFailure() || !faulty.fired()) break;
    }
  }
}

// Before every call of a sync in turn, the packs are given up and freed.
TEST_F(MovedPacks, RepackingWhileACopyIsMadeLeavesItWhole) {
  std::map<std::string, Buffer> before;
  for (const auto& object : keys()) before.emplace(object, blobs.get(object).take());
  for (std::uint64_t nth = 0;; nth += 3) {
    for (const auto& object : keys()) ASSERT_TRUE(blobs.remove(object).ok());
    for (const auto& [object, bytes] : before) ASSERT_TRUE(blobs.put(object, bytes).ok());
    std::atomic<std::uint64_t> calls{0};
    std::atomic<bool> fired{false};
    FaultBlobStore source(blobs, {.nth = UINT64_MAX, .before = [&](const std::string&) {
                                    if (calls++ != nth) return;
                                    fired = true;
                                    thin_out();
                                  }});
    MemoryBlobStore to;
    copy::KeyWitness witness(*repository->core());
    copy::SyncOptions options;
    options.workers = 1;
    options.witness = &witness;
    ASSERT_TRUE(copy::sync_copy(source, to, options, {}, {}).ok());
    auto where = cat("repacked before call ", nth, ": ");
    if (to.info(repo::verdict_key(kept_id)).ok()) expect_read(to, where);
    auto again = sync(blobs, to, true);
    ASSERT_TRUE(again.ok() && again->whole()) << where;
    expect_kept(to, cat(where, "after another run: "));
    if (HasFailure() || !fired) break;
  }
}

TEST_F(MovedPacks, EveryObjectComesBackFromACopy) {
  thin_out();
  ASSERT_TRUE(sync(blobs, copy, true).ok());
  for (const auto& object : keys()) {
    bool copied = object.starts_with("p/") || object.starts_with("e/");
    if (!copied) continue;
    for (bool lost : {true, false}) {
      auto bytes = blobs.get(object).take();
      if (lost) {
        ASSERT_TRUE(blobs.remove(object).ok());
      } else {
        bytes[bytes.size() / 2] ^= 1;
        blobs.tamper(object, bytes);
      }
      repair_from_copy();
      expect_kept(blobs, cat(object, lost ? " lost: " : " damaged: "));
      if (HasFailure()) return;
    }
  }
}

TEST_F(MovedPacks, RestoreHealsFromACopyThatHasOnlyTheOldPacks) {
  ASSERT_TRUE(sync(blobs, copy, true).ok());
  thin_out();
  for (const auto& pack : keys("p/")) ASSERT_TRUE(blobs.remove(pack).ok());
  class Borrowed final : public BlobStore {
   public:
    explicit Borrowed(BlobStore& inner) : inner_(inner) {}
    Status put(const std::string& name, ByteView bytes) override { return inner_.put(name, bytes); }
    Status flush() override { return inner_.flush(); }
    Result<Buffer> get(const std::string& name) override { return inner_.get(name); }
    Result<Buffer> get_range(const std::string& name, std::uint64_t offset,
                             std::uint64_t size) override {
      return inner_.get_range(name, offset, size);
    }
    Result<BlobInfo> info(const std::string& name) override { return inner_.info(name); }
    Result<std::vector<BlobInfo>> list(const std::string& prefix,
                                       const std::string& after) override {
      return inner_.list(prefix, after);
    }
    Status remove(const std::string& name) override { return inner_.remove(name); }
    std::string describe() const override { return inner_.describe(); }

   private:
    BlobStore& inner_;
  };
  CopySource source{"copy", [this]() -> Result<std::unique_ptr<BlobStore>> {
                      return std::unique_ptr<BlobStore>(std::make_unique<Borrowed>(copy));
                    }};
  HealingBlobStore healing(blobs, {source}, {});
  auto content = repo::read_snapshot(*open(healing), kept_id);
  ASSERT_TRUE(content.ok()) << content.error().text();
  EXPECT_EQ(*content, files(30, 6));
  EXPECT_FALSE(healing.all_healed().empty());
}

}  // namespace
}  // namespace lb::repair
