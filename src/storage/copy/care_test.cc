#include "storage/copy/care.h"

#include <gtest/gtest.h>

#include "storage/copy/copy_fixture.h"
#include "storage/repo/format.h"
#include "storage/repo/ledger.h"

namespace lb::copy {
namespace {

class Care : public CopyFixture {
 protected:
  const repo::Core& core() { return *repository->core(); }

  // As a prune does it: first the ledger, then the objects.
  void forget_the_first_point_and_segment() {
    auto verdict = blobs.get(cat("e/", first_id)).take();
    auto changed = repo::change_ledger(core(), [&](repo::Ledger& ledger) -> Result<bool> {
      ledger.ended[first_id] = repo::verdict_mark(sha256(verdict));
      ledger.holds[second_id] = {"evidence", "ann", clock.now(), {}};
      ledger.removed["db"] = {{4, 5}};
      return true;
    });
    ASSERT_TRUE(changed.ok()) << changed.error().text();
    ASSERT_TRUE(blobs.remove(cat("e/", first_id)).ok());
    ASSERT_TRUE(blobs.remove("w/db/00000001/0000000000000004").ok());
  }
  repo::VerifyReport verify_copy() { return open(copy)->verify({}, {}, {}).take(); }
};

TEST_F(Care, ANewCopyKnowsWhatWasRemovedBeforeItBegan) {
  forget_the_first_point_and_segment();
  must_sync(copy);
  EXPECT_EQ(verify_copy().findings.size(), 2u) << "it would be taken for lost";
  ASSERT_TRUE(share_care(core(), *open(copy)->core()).ok());
  EXPECT_TRUE(verify_copy().clean()) << repo::describe(verify_copy());
  auto ledger = repo::read_ledger(*open(copy)->core()).take().ledger;
  EXPECT_EQ(ledger.holds.at(second_id).why, "evidence");
  auto objects = copy.list("", {})->size();
  ASSERT_TRUE(share_care(core(), *open(copy)->core()).ok());
  EXPECT_EQ(copy.list("", {})->size(), objects) << "said once";
}

TEST_F(Care, ACopyKeepsWhatItHas) {
  must_sync(copy);
  forget_the_first_point_and_segment();
  must_sync(copy);
  auto there = open(copy);
  ASSERT_TRUE(share_care(core(), *there->core()).ok());
  EXPECT_EQ(there->snapshots()->size(), 2u) << "its own retention decides";
  EXPECT_EQ(repo::read_snapshot(*there, first_id).value(), first);
  EXPECT_EQ(text_of(there->get_log({"db", 1, 4}).value()), repo::noise(4, 3000));
  EXPECT_TRUE(verify_copy().clean());
}

TEST_F(Care, WhatEndedInEitherPlaceIsNotCopiedAgain) {
  must_sync(copy);
  auto there = open(copy);
  auto changed = repo::change_ledger(*there->core(), [&](repo::Ledger& ledger) -> Result<bool> {
    ledger.ended[first_id] = {};
    return true;
  });
  ASSERT_TRUE(changed.ok());
  ASSERT_TRUE(copy.remove(cat("e/", first_id)).ok());
  auto ended = ended_verdicts(core(), there->core());
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(*ended, std::set<std::string>{cat("e/", first_id)});
  SyncOptions options;
  options.skip = *ended;
  ASSERT_TRUE(sync_copy(blobs, copy, options, {}, {}).ok());
  EXPECT_FALSE(copy.info(cat("e/", first_id)).ok());
}

}  // namespace
}  // namespace lb::copy
