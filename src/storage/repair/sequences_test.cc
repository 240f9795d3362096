// A repository and a copy of it through random years: points come and go in both, packs are moved,
// copied, damaged and mended, indexes get lost. After every step each point that counts, in each
// place, reads back as it was written, and nothing else is listed.
#include <gtest/gtest.h>

#include <set>

#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/collect/stage.h"
#include "storage/copy/care.h"
#include "storage/copy/key_witness.h"
#include "storage/copy/sync.h"
#include "storage/repair/repair.h"
#include "storage/repo/format.h"
#include "storage/repo/ledger.h"
#include "storage/repo/merge_indexes.h"
#include "storage/repo/test_repository.h"

namespace lb::repair {
namespace {

using repo::Content;
using repo::Dice;

class Years : public repo::MemoryRepository {
 protected:
  // One of the two, the points that must be there, and those that were forgotten there.
  struct Place {
    MemoryBlobStore* blobs = nullptr;
    std::set<std::string> points, forgotten;
  };

  // Out of a pool, so that points share and shed content.
  Content some_content() {
    Content out;
    for (int i = 0; i < 5; ++i) {
      auto file = dice.below(12);
      out[cat("f", file)] = repo::noise(file, 4000 + 9000 * file);
    }
    return out;
  }
  std::unique_ptr<repo::Repository> open_at(Place& place) {
    return place.blobs == &blobs ? open(blobs) : open_copy(*repository, *place.blobs).take();
  }
  bool made(Place& place) { return place.blobs->info(repo::repo_key).ok(); }

  void back_up_once() {
    clock.advance(Seconds(60));
    auto content = some_content();
    std::unique_ptr<repo::SnapshotReader> parent;
    auto known = repository->snapshots().take();
    if (!known.empty() && dice.one_in(2)) parent = repository->snapshot(known.back().id).take();
    auto info = repo::write_snapshot(*repository, "data", content, clock.now(), parent.get());
    ASSERT_TRUE(info.ok()) << info.error().text();
    // Rows of the parent whose size is alike are reused; in this pool they are the same.
    contents[info->id] = content;
    own.points.insert(info->id);
  }
  void forget_some(Place& place) {
    auto repo = open_at(place);
    std::vector<std::string> doomed;
    auto listed = repo->snapshots().take();
    for (const auto& info : listed) {
      if (dice.one_in(3)) doomed.push_back(info.id);
    }
    ASSERT_TRUE(repo::forget(*repo->core(), doomed, clock.now()).ok());
    for (const auto& id : doomed) place.points.erase(id);
    place.forgotten.insert(doomed.begin(), doomed.end());
  }
  void collect(Place& place) {
    auto repo = open_at(place);
    auto report = repo::Collector(*repo->core(), {Micros(0)}, {}).run();
    ASSERT_TRUE(report.ok()) << report.error().text();
    deleted += report->deleted_packs;
  }
  void repack(Place& place) {
    clock.advance(Seconds(1));
    auto repo = open_at(place);
    repo::RepackOptions options{.below = dice.one_in(2) ? 1.0 : 0.6, .budget_share = 1};
    auto report = repo::Repacker(*repo->core(), options, {}, {}).run({});
    ASSERT_TRUE(report.ok()) << report.error().text();
    moved += report->packs;
  }
  // What a place has it keeps, and takes nothing back that was forgotten there.
  static void bring(const Place& from, Place& to) {
    for (const auto& id : from.points) {
      if (!to.forgotten.contains(id)) to.points.insert(id);
    }
  }
  void sync(bool with_key) {
    copy::KeyWitness witness(*repository->core());
    copy::SyncOptions options;
    std::unique_ptr<repo::Repository> there;
    if (made(other)) there = open_at(other);
    if (with_key) {
      options.witness = &witness;
      options.skip =
          copy::ended_verdicts(*repository->core(), there ? there->core() : nullptr).take();
    }
    auto report = copy::sync_copy(blobs, *other.blobs, options, {}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    for (const auto& held : report->held) ADD_FAILURE() << held.key << " " << held.problem;
    EXPECT_TRUE(report->whole());
    bring(own, other);
    if (!with_key) return;
    there = open_at(other);
    ASSERT_TRUE(copy::share_care(*repository->core(), *there->core()).ok());
  }
  void lose_indexes(Place& place) {
    for (const char* prefix : {"x/", "i/"}) {
      for (const auto& object : place.blobs->list(prefix, {}).take()) {
        ASSERT_TRUE(place.blobs->remove(object.key).ok());
      }
    }
  }
  // Damages what both have, in one of the two, and mends it from the other.
  void damage_and_mend(Place& place, Place& from) {
    if (!made(other)) return;
    // A verdict that says nothing in one of the two is not mended there, nor found whole.
    auto there = open_at(other);
    auto ended = copy::ended_verdicts(*repository->core(), there->core()).take();
    for (const char* prefix : {"p/", "e/"}) {
      for (const auto& object : place.blobs->list(prefix, {}).take()) {
        bool both = from.blobs->info(object.key).ok() && !ended.contains(object.key);
        if (!dice.one_in(4) || !both) continue;
        auto bytes = place.blobs->get(object.key).take();
        bytes[dice.below(bytes.size())] ^= 1;
        if (dice.one_in(2)) {
          place.blobs->tamper(object.key, bytes);
        } else {
          ASSERT_TRUE(place.blobs->remove(object.key).ok());
        }
        ++damaged;
      }
    }
    auto repo = open_at(place);
    std::vector<Source> sources = {{"the other", from.blobs}};
    auto plan = plan_repair(*repo, sources, {}, {});
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    auto report = apply_repair(*repo, *plan, sources, {}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    for (const auto& step : report->failed) ADD_FAILURE() << step.key << " " << step.problem;
    for (const auto& step : report->lost) ADD_FAILURE() << step.key << " " << step.problem;
    // What only the other has was lost here, as far as anyone can tell.
    bring(from, place);
  }

  std::set<std::string> listed_in(Place& place) {
    std::set<std::string> out;
    auto listed = open_at(place)->snapshots().take();
    for (const auto& info : listed) out.insert(info.id);
    return out;
  }
  void judge(Place& place, const std::string& where) {
    if (!made(place)) return;
    auto repo = open_at(place);
    auto listed = listed_in(place);
    for (const auto& id : listed) {
      auto content = repo::read_snapshot(*repo, id);
      ASSERT_TRUE(content.ok()) << where << id << " " << content.error().text();
      EXPECT_EQ(*content, contents[id]) << where << id;
    }
    EXPECT_EQ(listed, place.points) << where;
    repo::VerifyOptions options;
    auto care = repo::read_ledger(*repository->core()).take();
    if (&place == &other) options.elsewhere = std::make_shared<const repo::Ledger>(care.ledger);
    auto report = repo->verify(options, {}, {});
    ASSERT_TRUE(report.ok()) << where << report.error().text();
    EXPECT_TRUE(report->clean()) << where << repo::describe(*report);
  }
  std::string step() {
    auto& place = made(other) && dice.one_in(2) ? other : own;
    const std::string at = &place == &own ? " here" : " in the copy";
    switch (dice.below(9)) {
      case 0:
      case 1:
        back_up_once();
        return "backup";
      case 2:
        forget_some(place);
        return "forget" + at;
      case 3:
        collect(place);
        return "collect" + at;
      case 4:
        repack(place);
        return "repack" + at;
      case 5:
        sync(true);
        return "sync";
      case 6:
        sync(false);
        return "sync without a key";
      case 7:
        lose_indexes(place);
        return "lose indexes" + at;
      default:
        damage_and_mend(place, &place == &own ? other : own);
        return "damage and mend" + at;
    }
  }

  Dice dice{1};
  MemoryBlobStore copy_blobs;
  Place own{&blobs, {}, {}}, other{&copy_blobs, {}, {}};
  std::map<std::string, Content> contents;  // of every point that was ever taken
  std::uint64_t deleted = 0, moved = 0, damaged = 0;
};

class Sequences : public Years, public testing::WithParamInterface<int> {};

TEST_P(Sequences, KeepEveryPointInBothPlaces) {
  dice = Dice(static_cast<std::uint64_t>(GetParam()));
  std::string story;
  for (int i = 0; i < 40 && !HasFailure(); ++i) {
    story += step() + "; ";
    auto where = cat("seed ", GetParam(), " after: ", story, "\n");
    judge(own, where);
    judge(other, where);
    if (HasFailure()) ADD_FAILURE() << where;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Sequences, testing::Range(1, 25));

// The sequences must meet what they are for.
TEST_F(Years, MoveDeleteAndDamage) {
  for (int i = 0; i < 150 && !HasFailure(); ++i) step();
  judge(own, "in the end: ");
  judge(other, "in the end: ");
  EXPECT_GT(deleted, 10u);
  EXPECT_GT(moved, 10u);
  EXPECT_GT(damaged, 10u);
}

}  // namespace
}  // namespace lb::repair
