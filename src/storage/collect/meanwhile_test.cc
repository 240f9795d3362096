// What readers and writers make of a collection that ends between two of their calls.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/repo/format.h"
#include "storage/repo/log_store.h"
#include "storage/repo/test_repository.h"
#include "storage/repo/verdict.h"

namespace lb::repo {
namespace {

class Meanwhile : public MemoryRepository {
 protected:
  const Core& core() { return *repository->core(); }
  void collect(Micros grace) {
    auto report = Collector(core(), {grace}, {}).run();
    EXPECT_TRUE(report.ok()) << report.error().text();
  }
  void forget_and_collect(const std::string& session) {
    ASSERT_TRUE(forget(core(), {session}, clock.now()).ok());
    collect(Micros(0));
  }
  // Plays `act` once, before the first call that fits.
  FaultPlan once_before(BlobCall call, const std::string& prefix, std::function<void()> act) {
    FaultPlan plan{.nth = 1'000'000, .only = call, .prefix = prefix};
    plan.before = [act = std::move(act), done = std::make_shared<bool>()](const std::string&) {
      if (!std::exchange(*done, true)) act();
    };
    return plan;
  }

  Content first = {{"a", noise(1, 200'000)}, {"b", noise(2, 100'000)}};
  Content other = {{"z", noise(9, 120'000)}};
};

// A session is aborted, the mark of that is cleared away, and then its verdict comes: between the
// ledger and the list of verdicts that another one reads.
class LateVerdict : public Meanwhile {
 protected:
  LateVerdict() {
    late_ = repository->begin("data", nullptr, {}).take();
    EXPECT_TRUE(write_row(*late_, "z", other.at("z")).ok());
    clock.advance(std::chrono::hours(48));
    auto abort_and_come_late = [this] {
      collect(Micros(0));
      ASSERT_TRUE(keys("e/").empty()) << "the mark of the abort has gone";
      SnapshotMeta meta;
      meta.store = "data";
      EXPECT_EQ(late_->commit(meta).error().kind(), ErrorKind::conflict);
      ASSERT_EQ(keys("e/").size(), 1u) << "and yet there is a verdict";
    };
    store_ = std::make_unique<FaultBlobStore>(
        blobs, once_before(BlobCall::list, "e/", abort_and_come_late));
  }
  std::unique_ptr<SnapshotWriter> late_;
  std::unique_ptr<FaultBlobStore> store_;
};

TEST_F(LateVerdict, IsNotThePredecessorOfAnother) {
  auto info = write_snapshot(*open(*store_), "data", first, clock.now());
  ASSERT_TRUE(info.ok()) << info.error().text();
  collect(Micros(0));
  EXPECT_EQ(keys("e/"), std::vector{verdict_key(info->id)});
  auto report = verify();
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST_F(LateVerdict, IsNotListed) {
  EXPECT_TRUE(open(*store_)->snapshots().value().empty());
  EXPECT_EQ(keys("e/").size(), 1u);
}

TEST_F(Meanwhile, ALostPredecessorIsNoticedAllTheSame) {
  auto one = back_up(other).id;
  back_up(first);
  ASSERT_TRUE(blobs.remove(verdict_key(one)).ok());
  auto report = verify();
  ASSERT_EQ(report.findings.size(), 1u) << describe(report);
  EXPECT_EQ(report.findings[0].problem, "the snapshot before it is missing");
}

TEST_F(Meanwhile, APointForgottenWhileItIsVerifiedIsNoDamage) {
  for (const char* prefix : {"p/", "e/", "x/", "w/"}) {
    back_up(first);
    auto lost = back_up(other).id;
    FaultBlobStore store(blobs,
                         once_before(BlobCall::list, prefix, [&] { forget_and_collect(lost); }));
    auto report = open(store)->verify({}, {}, {}).value();
    EXPECT_TRUE(report.clean()) << prefix << "\n" << describe(report);
    EXPECT_FALSE(blobs.info(verdict_key(lost)).ok());
  }
}

TEST_F(Meanwhile, APointForgottenBetweenItsListingAndItsReadingIsNoDamage) {
  back_up(first);
  auto lost = back_up(other).id;
  FaultBlobStore store(
      blobs, once_before(BlobCall::get, verdict_key(lost), [&] { forget_and_collect(lost); }));
  auto report = open(store)->verify({}, {}, {}).value();
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST_F(Meanwhile, LogRemovedWhileItIsVerifiedIsNoDamage) {
  auto log = [](std::uint64_t segment) { return LogName{"db", 1, segment}; };
  for (std::uint64_t segment = 7; segment < 10; ++segment) {
    ASSERT_TRUE(repository->put_log(log(segment), view_of("log"), view_of("sum")).ok());
  }
  FaultBlobStore store(blobs, once_before(BlobCall::get, log_key("db", 1, 8), [&] {
                         ASSERT_TRUE(remove_logs(core(), {{"db", {{7, 9}}}}).ok());
                       }));
  auto report = open(store)->verify({}, {}, {}).value();
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST_F(Meanwhile, DamageIsFoundThoughAPointIsForgotten) {
  back_up(first);
  auto lost = back_up(other).id;
  auto pack = keys("p/").front();
  ASSERT_TRUE(blobs.remove(pack).ok());
  FaultBlobStore store(blobs, once_before(BlobCall::list, "p/", [&] { forget_and_collect(lost); }));
  auto report = open(store)->verify({}, {}, {}).value();
  ASSERT_FALSE(report.clean());
  EXPECT_EQ(report.findings.back().object, pack) << describe(report);
}

// A point whose packs were given up twice; what the first verdict says, the second says too.
class MovedTwice : public Meanwhile {
 protected:
  static Content files(int count, int step) {
    Content out;
    for (int i = 0; i < count; i += step) {
      out[cat("f", 100 + i)] = noise(1000 + static_cast<std::uint64_t>(i), 200'000);
    }
    return out;
  }
  MovedTwice() {
    auto all = back_up(files(40, 1)).id;
    half_ = back_up(files(40, 2)).id;
    kept = back_up(files(40, 8)).id;
    forget_and_collect(all);
    repack();
  }
  void repack() {
    auto report = Repacker(core(), {.below = 0.9, .budget_share = 1}, {}, {}).run({});
    EXPECT_TRUE(report.ok()) << report.error().text();
    EXPECT_GT(report.ok() ? report->packs : 0, 0u);
    collect(Micros(0));
  }
  void repack_again() {
    forget_and_collect(half_);
    repack();
  }
  std::string verdict_of_repacking() {
    for (const auto& object : keys("e/")) {
      auto verdict = open_verdict(core().keys, object.substr(2), blobs.get(object).value());
      if (verdict->moved) return object;
    }
    return {};
  }
  std::string half_, kept;
};

TEST_F(MovedTwice, AVerdictThatGoesWhileItIsReadIsStoodForByTheNext) {
  auto gone = verdict_of_repacking();
  FaultBlobStore store(blobs, once_before(BlobCall::info, gone, [this] { repack_again(); }));
  auto content = read_snapshot(*open(store), kept);
  ASSERT_TRUE(content.ok()) << content.error().text();
  EXPECT_EQ(*content, files(40, 8));
  EXPECT_FALSE(blobs.info(gone).ok());
}

TEST_F(MovedTwice, AVerdictThatCouldNotBeReadOnceIsReadTheNextTime) {
  FaultBlobStore store(blobs, {.only = BlobCall::info, .prefix = verdict_of_repacking()});
  auto content = read_snapshot(*open(store), kept);
  ASSERT_TRUE(content.ok()) << content.error().text();
  EXPECT_EQ(*content, files(40, 8));
  EXPECT_TRUE(store.fired());
}

}  // namespace
}  // namespace lb::repo
