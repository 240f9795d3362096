// Copies of a repository whose packs are given up by repacking, made without a key: what can be
// seen in the copy can be read at every moment.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/copy/shape.h"
#include "storage/copy/sync.h"
#include "storage/repo/format.h"
#include "storage/repo/test_repository.h"

namespace lb::copy {
namespace {

using repo::Content;

class MovedSync : public repo::MemoryRepository {
 protected:
  static Content files(int count, int step) {
    Content out;
    for (int i = 0; i < count; i += step) {
      out[cat("f", 100 + i)] = repo::noise(static_cast<std::uint64_t>(i) + 1, 150'000);
    }
    return out;
  }
  MovedSync() {
    old_id = back_up(files(30, 1)).id;
    kept_id = back_up(files(30, 6)).id;
  }
  const repo::Core& core() { return *repository->core(); }
  void thin_out() {
    forget_old();
    repack();
  }
  void forget_old() {
    EXPECT_TRUE(repo::forget(core(), {old_id}, clock.now()).ok());
    EXPECT_TRUE(repo::Collector(core(), {}, {}).run().ok());
  }
  void repack() {
    auto moved = repo::Repacker(core(), {.below = 0.9, .budget_share = 1}, {}, {}).run({});
    ASSERT_TRUE(moved.ok()) << moved.error().text();
    EXPECT_GT(moved->packs, 0u);
    EXPECT_TRUE(repo::Collector(core(), {}, {}).run().ok());
  }
  Result<SyncReport> sync(BlobStore& from, BlobStore& to) {
    SyncOptions options;
    options.workers = 1;
    return sync_copy(from, to, options, {}, {});
  }
  // Each point that the copy shows is whole there.
  void expect_read(BlobStore& store, const std::string& where) {
    if (!store.info("repo").ok() || store.list("k/").take().empty()) return;
    auto opened = open(store);
    ASSERT_NE(opened, nullptr) << where;
    auto listed = opened->snapshots().take();
    for (const auto& info : listed) {
      auto content = repo::read_snapshot(*opened, info.id);
      ASSERT_TRUE(content.ok()) << where << content.error().text();
      EXPECT_EQ(*content, info.id == old_id ? files(30, 1) : files(30, 6)) << where;
    }
  }
  void expect_kept(BlobStore& store, const std::string& where) {
    ASSERT_TRUE(store.info(repo::verdict_key(kept_id)).ok()) << where;
    expect_read(store, where);
  }

  std::string old_id, kept_id;
};

TEST_F(MovedSync, EndedBeforeAnyPutLeavesWhatIsThereReadable) {
  thin_out();
  back_up(files(30, 6));  // one more, which names the moved frames where they are
  for (auto fault : {BlobFault::fail, BlobFault::timed_out_applied}) {
    for (std::uint64_t nth = 0;; ++nth) {
      MemoryBlobStore to;
      FaultBlobStore cut(to, {.nth = nth, .fault = fault, .lasting = true, .only = BlobCall::put});
      auto report = sync(blobs, cut);
      auto where = cat("ended before put ", nth, ": ");
      bool ends = fault == BlobFault::fail && cut.fired();
      EXPECT_EQ(report.ok(), !ends) << where;
      expect_read(to, where);
      to.crash();
      expect_read(to, cat(where, "after a crash: "));
      auto again = sync(blobs, to);
      ASSERT_TRUE(again.ok() && again->whole()) << where;
      expect_kept(to, cat(where, "after another run: "));
      if (HasFailure()) return;
      if (!cut.fired()) {
        EXPECT_GT(nth, 5u);
        break;
      }
    }
  }
}

class RepackedMeanwhile : public MovedSync {
 protected:
  // A sync during which `act` is played before the call. False: there were not so many.
  bool try_call(std::uint64_t nth, const std::function<void()>& act) {
    std::uint64_t calls = 0;
    bool fired = false;
    FaultBlobStore source(blobs, {.nth = UINT64_MAX, .before = [&](const std::string&) {
                                    if (calls++ != nth) return;
                                    fired = true;
                                    act();
                                  }});
    MemoryBlobStore to;
    auto report = sync(source, to);
    auto where = cat("repacked before call ", nth, ": ");
    EXPECT_TRUE(report.ok()) << where << report.error().text();
    if (!report.ok()) return false;
    held |= !report->held.empty();
    expect_read(to, where);
    auto again = sync(blobs, to);
    EXPECT_TRUE(again.ok() && again->whole()) << where;
    expect_kept(to, cat(where, "after another run: "));
    return fired;
  }
  void try_every_call(const std::function<void()>& act) {
    std::map<std::string, Buffer> before;
    for (const auto& object : keys()) before.emplace(object, blobs.get(object).take());
    for (std::uint64_t nth = 0; !HasFailure(); ++nth) {
      for (const auto& object : keys()) ASSERT_TRUE(blobs.remove(object).ok());
      for (const auto& [object, bytes] : before) ASSERT_TRUE(blobs.put(object, bytes).ok());
      if (!try_call(nth, act)) break;
    }
    EXPECT_TRUE(held) << "what was in doubt was not shown";
  }
  bool held = false;
};

TEST_F(RepackedMeanwhile, LeavesWhatIsThereReadable) {
  forget_old();
  try_every_call([this] { repack(); });
}

TEST_F(RepackedMeanwhile, WithThePointThatNeededTheRestLeavesWhatIsThereReadable) {
  try_every_call([this] { thin_out(); });
}

TEST_F(MovedSync, ADamagedVerdictOfARepackingHoldsBackEveryPoint) {
  thin_out();
  std::string moved;
  for (const auto& verdict : keys("e/")) {
    if (may_be_of_repacking(blobs, verdict)) moved = verdict;
  }
  ASSERT_NE(moved, "");
  auto good = blobs.get(moved).take();
  for (std::size_t size : {good.size() - 1, std::size_t{90}, std::size_t{0}}) {
    MemoryBlobStore to;
    blobs.tamper(moved, Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    auto report = sync(blobs, to);
    ASSERT_TRUE(report.ok()) << report.error().text();
    EXPECT_EQ(report->unreadable.size(), 1u);
    EXPECT_EQ(report->held.size(), 1u) << size;
    EXPECT_TRUE(to.list("e/", {})->empty()) << size;
    blobs.tamper(moved, good);
    ASSERT_TRUE(sync(blobs, to)->whole());
    expect_kept(to, "whole again: ");
  }
}

TEST_F(MovedSync, VerdictsAreToldApartWithoutAKey) {
  thin_out();
  for (const auto& verdict : keys("e/")) {
    EXPECT_EQ(may_be_of_repacking(blobs, verdict), verdict != repo::verdict_key(kept_id));
  }
  auto aborted = repository->begin("data", nullptr, {}).take()->id();
  clock.advance(std::chrono::hours(48));
  bool seen = false;
  FaultBlobStore watched(
      blobs, {.nth = UINT64_MAX, .only = BlobCall::put, .prefix = "l/", .before = [&](const auto&) {
                auto verdict = repo::verdict_key(aborted);
                seen |= blobs.info(verdict).ok();
                EXPECT_FALSE(may_be_of_repacking(blobs, verdict));
              }});
  auto other = open(watched);
  ASSERT_TRUE(repo::Collector(*other->core(), {Micros(0)}, {}).run().ok());
  EXPECT_TRUE(seen) << "there was a verdict of an aborted session";
}

}  // namespace
}  // namespace lb::copy
