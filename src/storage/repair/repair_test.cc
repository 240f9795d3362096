// Damage of every kind, mended from a copy, or without one as far as that goes; killed anywhere.
#include "storage/repair/repair.h"

#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/copy/copy_fixture.h"
#include "storage/repo/quarantine.h"

namespace lb::repair {
namespace {

using repo::Content;

class RepairTest : public copy::CopyFixture {
 protected:
  RepairTest() {
    must_sync(copy);
    for (const auto& key_here : keys()) original[key_here] = blobs.get(key_here).take();
  }

  void damage(const std::string& object, int how) {
    auto bytes = original.at(object);
    if (how == 0) bytes[bytes.size() / 2] ^= 1;
    if (how == 1) bytes.resize(bytes.size() / 2);
    if (how < 2) blobs.tamper(object, bytes);
    if (how == 2) {
      EXPECT_TRUE(blobs.remove(object).ok());
    }
  }
  void undo() {
    for (const auto& key_here : keys()) EXPECT_TRUE(blobs.remove(key_here).ok());
    for (const auto& [name, bytes] : original) EXPECT_TRUE(blobs.put(name, bytes).ok());
    EXPECT_TRUE(blobs.flush().ok());
  }

  std::vector<Source> from_copy() { return {{"copy", &copy}}; }

  Result<RepairReport> repair(BlobStore& store, const std::vector<Source>& sources) {
    auto opening = LB_TRY(heal_opening(store, sources, false));
    auto opened = LB_TRY(repo::open_repository(store, clock, *random, key, repo::small_budget));
    auto plan = LB_TRY(plan_repair(*opened, sources, {}, {}));
    auto report = LB_TRY(apply_repair(*opened, plan, sources, {}, {}));
    report.healed += opening.size();
    return report;
  }
  RepairReport must_repair(const std::vector<Source>& sources) {
    auto report = repair(blobs, sources);
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : RepairReport{};
  }
  bool snapshot_is_clean(const std::string& id) {
    auto report = verify();
    const auto& good = report.snapshots_ok;
    return std::find(good.begin(), good.end(), id) != good.end();
  }
  // Intents say nothing any more; a lost index is built again under another name.
  static bool comes_back(const std::string& object, int how) {
    return !object.starts_with("i/") && !(object.starts_with("x/") && how == 2);
  }

  std::map<std::string, Buffer> original;
};

TEST_F(RepairTest, NothingIsDoneToAWholeRepository) {
  auto report = must_repair(from_copy());
  EXPECT_EQ(report.healed + report.indexed + report.removed + report.set_aside, 0u);
  EXPECT_EQ(keys().size(), original.size());
}

TEST_F(RepairTest, EveryObjectDamagedInAnyWayComesBackFromACopy) {
  for (const auto& [object, bytes] : original) {
    for (int how = 0; how < 3; ++how) {
      auto where = cat(object, " way ", how, ": ");
      damage(object, how);
      auto report = must_repair(from_copy());
      EXPECT_TRUE(report.failed.empty() && report.lost.empty()) << where;
      EXPECT_TRUE(verify().clean()) << where << repo::describe(verify());
      if (comes_back(object, how)) {
        auto back = blobs.get(object);
        ASSERT_TRUE(back.ok()) << where;
        EXPECT_EQ(*back, bytes) << where;
      }
      EXPECT_EQ(read(first_id), first) << where;
      EXPECT_EQ(read(second_id), second) << where;
      EXPECT_TRUE(keys("q/").empty()) << where;
      undo();
      if (HasFailure()) return;
    }
  }
}

TEST_F(RepairTest, ManyAtOnceComeBack) {
  for (const auto& object : keys("p/")) damage(object, 2);
  for (const auto& object : keys("e/")) damage(object, 2);
  for (const auto& object : keys("w/")) damage(object, 0);
  for (const auto& object : keys("x/")) damage(object, 1);
  must_repair(from_copy());
  EXPECT_TRUE(verify().clean()) << repo::describe(verify());
  EXPECT_EQ(read(second_id), second);
}

TEST_F(RepairTest, KilledAnywhereItLosesNothingAndIsFinishedByTheNext) {
  std::vector<std::string> hurt = {keys("p/").front(),   cat("e/", first_id),
                                   cat("e/", second_id), "r/drill/r1",
                                   keys("x/").front(),   "w/db/00000001/0000000000000005"};
  for (auto fault : {BlobFault::fail, BlobFault::timed_out_applied, BlobFault::timed_out}) {
    for (std::uint64_t nth = 0;; ++nth) {
      auto where = cat("fault ", static_cast<int>(fault), " call ", nth, ": ");
      for (std::size_t i = 0; i < hurt.size(); ++i) damage(hurt[i], static_cast<int>(i % 2));
      bool fired = false;
      {
        FaultBlobStore faulty(blobs, {.nth = nth, .fault = fault, .lasting = nth % 2 == 0});
        auto report = repair(faulty, from_copy());
        fired = faulty.fired();
        if (!fired) {
          EXPECT_TRUE(report.ok()) << where << report.error().text();
        }
      }
      blobs.crash();
      auto again = must_repair(from_copy());
      EXPECT_TRUE(again.failed.empty() && again.lost.empty()) << where;
      EXPECT_TRUE(verify().clean()) << where << repo::describe(verify());
      EXPECT_EQ(blobs.list("e/", {})->size(), 2u) << where << "no point is forgotten";
      EXPECT_EQ(read(second_id), second) << where;
      EXPECT_TRUE(keys("q/").empty()) << where;
      undo();
      if (HasFailure()) return;
      if (!fired) {
        EXPECT_GT(nth, 30u);
        break;
      }
    }
  }
}

TEST_F(RepairTest, ACopyThatIsDamagedTooIsNotBelieved) {
  auto pack = keys("p/").front();
  damage(pack, 0);
  auto bad = original.at(pack);
  bad[bad.size() / 3] ^= 4;
  copy.tamper(pack, bad);
  auto here = blobs.get(pack).take();
  auto report = must_repair(from_copy());
  EXPECT_EQ(report.healed, 0u);
  EXPECT_EQ(report.set_aside, 1u);
  EXPECT_EQ(blobs.get(pack).value(), here) << "what can still be read of it stays";
  MemoryBlobStore third;
  for (const auto& [name, bytes] : original) ASSERT_TRUE(third.put(name, bytes).ok());
  EXPECT_EQ(must_repair({{"copy", &copy}, {"third", &third}}).healed, 1u);
  EXPECT_TRUE(verify().clean());
}

TEST_F(RepairTest, WithoutACopyTheNextBackupStoresAgainWhatWasLost) {
  for (const auto& pack : keys("p/")) {
    for (int how = 0; how < 3; ++how) {
      auto where = cat(pack, " way ", how, ": ");
      damage(pack, how);
      auto report = must_repair({});
      EXPECT_EQ(report.set_aside, how == 2 ? 0u : 1u) << where;
      EXPECT_EQ(report.lost.size(), how == 2 ? 1u : 0u) << where;
      // With the damaged snapshot as its parent, as the next backup of the store has it.
      auto parent = repository->snapshot(second_id);
      ASSERT_TRUE(parent.ok()) << where;
      auto rows = repo::all_rows(**parent);
      auto next = back_up(second, rows.ok() ? parent->get() : nullptr);
      EXPECT_EQ(read(next.id), second) << where;
      EXPECT_TRUE(snapshot_is_clean(next.id)) << where << repo::describe(verify());
      undo();
      repository = open(blobs);
      if (HasFailure()) return;
    }
  }
}

TEST_F(RepairTest, WithoutRepairADamagedPackWouldBeReliedOn) {
  damage(keys("p/").front(), 0);
  auto next = back_up(second);
  EXPECT_FALSE(snapshot_is_clean(next.id)) << "this is what setting aside is for";
}

TEST_F(RepairTest, APackSetAsideReturnsWhenACopyComes) {
  auto pack = keys("p/").front();
  damage(pack, 0);
  must_repair({});
  EXPECT_EQ(repo::read_quarantine(*repository->core())->keys, std::set<std::string>{pack});
  EXPECT_EQ(must_repair({}).set_aside, 0u) << "it is out of use already";
  EXPECT_EQ(keys("q/").size(), 1u);
  EXPECT_EQ(must_repair(from_copy()).healed, 1u);
  EXPECT_TRUE(keys("q/").empty());
  EXPECT_TRUE(verify().clean());
}

TEST_F(RepairTest, IndexesAreBuiltAgainFromThePacks) {
  for (int how = 0; how < 3; ++how) {
    for (const auto& object : keys("x/")) damage(object, how);
    auto report = must_repair({});
    EXPECT_EQ(report.indexed, keys("p/").size()) << how;
    EXPECT_TRUE(verify().clean()) << how << repo::describe(verify());
    auto info = back_up(second);
    EXPECT_EQ(info.new_bytes, 0u) << "everything is known again";
    undo();
    repository = open(blobs);
  }
}

TEST_F(RepairTest, WhatIsLostIsNamedWithWhatItHits) {
  damage(keys("p/").front(), 2);
  auto opened = open(blobs);
  auto plan = plan_repair(*opened, {}, {}, {});
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  ASSERT_EQ(plan->steps.size(), 1u);
  EXPECT_EQ(plan->steps[0].remedy, Remedy::lost);
  EXPECT_FALSE(plan->steps[0].affected.empty());
}

// A sample that met the damage is enough; what a sample did not read is left for the next.
TEST_F(RepairTest, WhatASampleFoundIsMendedWithoutReadingTheRest) {
  damage(keys("p/").back(), 2);
  auto found = verify({.fraction = 0});
  ASSERT_FALSE(found.clean());
  CountingBlobStore counted(blobs);
  auto opened = open(counted);
  auto plan = plan_repair_of(*opened, found, from_copy(), {});
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  auto report = apply_repair(*opened, *plan, from_copy(), {}, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->healed, 1u);
  EXPECT_TRUE(verify().clean());
  std::uint64_t all = 0;
  for (const auto& pack : blobs.list("p/", {}).take()) all += pack.size;
  EXPECT_LT(counted.counts().got_bytes, all) << "the other packs were not read again";
}

// What an earlier repair put out of use stays so, though this time nothing was found of it.
TEST_F(RepairTest, WhatIsOutOfUseStaysSoWhenOnlyASampleWasRead) {
  auto pack = keys("p/").front();
  damage(pack, 0);
  must_repair({});
  ASSERT_EQ(repo::read_quarantine(*repository->core())->keys, std::set{pack});
  auto opened = open(blobs);
  auto plan = plan_repair_of(*opened, repo::VerifyReport{}, {}, {});
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  ASSERT_TRUE(apply_repair(*opened, *plan, {}, {}, {}).ok());
  EXPECT_EQ(repo::read_quarantine(*repository->core())->keys, std::set{pack});
}

TEST_F(RepairTest, APlanChangesNothing) {
  for (const auto& object : keys("p/")) damage(object, 0);
  std::map<std::string, Buffer> before;
  for (const auto& name : keys()) before[name] = blobs.get(name).take();
  auto opened = open(blobs);
  EXPECT_FALSE(plan_repair(*opened, from_copy(), {}, {})->nothing());
  for (const auto& name : keys()) EXPECT_EQ(blobs.get(name).value(), before[name]);
  EXPECT_EQ(keys().size(), before.size());
}

TEST_F(RepairTest, ASourceThatDoesNotAnswerIsSaidSo) {
  FaultBlobStore silent(copy, {.lasting = true});
  auto opened = open(blobs);
  auto plan = plan_repair(*opened, {{"silent", &silent}}, {}, {});
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->sources_unread.size(), 1u);
  EXPECT_TRUE(plan->sources_unread[0].starts_with("silent: "));
}

TEST(Quarantine, OddBytesAreRefused) {
  auto good = repo::encode_quarantine({"e/a", "p/b/00000000"});
  EXPECT_EQ(repo::decode_quarantine(good)->size(), 2u);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(repo::decode_quarantine(ByteView(good).first(size)).ok()) << size;
  }
  good.push_back(0);
  EXPECT_FALSE(repo::decode_quarantine(good).ok());
}

}  // namespace
}  // namespace lb::repair
