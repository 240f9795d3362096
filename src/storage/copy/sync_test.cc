// Copies: complete at every moment, whatever fails; loud about what differs or is damaged.
#include "storage/copy/sync.h"

#include <gtest/gtest.h>

#include "foundation/sys/sim_files.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/copy/copy_fixture.h"

namespace lb::copy {
namespace {

std::vector<std::string> keys_of(const std::vector<Trouble>& list) {
  std::vector<std::string> out;
  for (const auto& each : list) out.push_back(each.key);
  return out;
}

class Sync : public CopyFixture {};

TEST_F(Sync, BringsEverythingOnceAndThenNothing) {
  for (bool with_key : {false, true}) {
    MemoryBlobStore to;
    auto report = must_sync(to, with_key);
    EXPECT_TRUE(report.whole());
    std::size_t staying = keys("i/").size();
    EXPECT_EQ(report.objects, keys().size() - staying);
    for (const auto& key_there : keys()) {
      if (key_there.starts_with("i/")) continue;
      EXPECT_EQ(to.get(key_there).value(), blobs.get(key_there).value()) << key_there;
    }
    expect_whole(to, "whole: ");
    EXPECT_EQ(to.list("e/", {})->size(), 2u);
    auto again = must_sync(to, with_key);
    EXPECT_EQ(again.objects, 0u);
    EXPECT_EQ(again.there, report.objects);
  }
}

TEST_F(Sync, AnythingThatFailsInTheCopyLeavesItWhole) {
  for (auto fault :
       {BlobFault::fail, BlobFault::full, BlobFault::timed_out_applied, BlobFault::timed_out}) {
    for (std::uint64_t nth = 0;; ++nth) {
      MemoryBlobStore to;
      FaultBlobStore faulty(to, {.nth = nth, .fault = fault});
      auto report = sync(faulty, nth % 2 == 0);
      auto where = cat("fault ", static_cast<int>(fault), " call ", nth, ": ");
      expect_whole(to, cat(where, "before the crash: "));
      to.crash();
      expect_whole(to, where);
      EXPECT_EQ(report.ok() && report->whole(), report.ok()) << where;
      auto again = must_sync(to);
      EXPECT_TRUE(again.whole()) << where;
      EXPECT_EQ(to.list("e/", {})->size(), 2u) << where;
      expect_whole(to, cat(where, "after another run: "));
      if (HasFailure()) return;
      if (!faulty.fired()) {
        EXPECT_GT(nth, 20u);
        break;
      }
    }
  }
}

TEST_F(Sync, AnythingThatFailsInTheSourceLeavesTheCopyWhole) {
  for (auto fault : {BlobFault::fail, BlobFault::flip, BlobFault::truncate}) {
    for (std::uint64_t nth = 0;; ++nth) {
      MemoryBlobStore to;
      FaultBlobStore faulty(blobs, {.nth = nth, .fault = fault});
      auto report = sync_copy(faulty, to, {.witness = witness.get()}, {}, {});
      auto where = cat("fault ", static_cast<int>(fault), " call ", nth, ": ");
      expect_whole(to, where, report.ok() ? report->unreadable : std::vector<Trouble>{});
      if (faulty.fired() && report.ok()) {
        // A verdict's kind is read before it is copied; that this fails does no harm.
        bool all_copied = to.list("", {})->size() == keys().size() - keys("i/").size();
        EXPECT_EQ(report->unreadable.size(), all_copied ? 0u : 1u)
            << where << "named, and the others went on";
      }
      EXPECT_TRUE(must_sync(to).whole()) << where;
      expect_whole(to, cat(where, "after another run: "));
      if (HasFailure()) return;
      if (!faulty.fired()) break;
    }
  }
}

TEST_F(Sync, ASourceThatIsGoneEndsTheWork) {
  FaultBlobStore faulty(blobs, {.nth = 6, .lasting = true, .only = BlobCall::get});
  auto report = sync_copy(faulty, copy, {}, {}, {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::unavailable);
  expect_whole(copy, "gone: ");
}

TEST_F(Sync, ACopyOnADiskSurvivesAPowerCutAtEverySystemCall) {
  for (std::uint64_t nth = 0;; nth += 1 + nth / 30) {
    SimFiles files;
    auto disk = [&] {
      return open_directory_blobs(files, clock, *random, "/copy", MissingFolder::create).take();
    };
    disk();
    {
      auto to = disk();
      files.fail_call(nth);
      auto report = sync(*to);
      if (!files.fault_fired()) {
        EXPECT_TRUE(report.ok() && report->whole());
        break;
      }
    }
    auto chance = seeded_random(nth);
    files.crash(nth % 2 == 0 ? nullptr : chance.get());
    auto to = disk();
    for (const auto& verdict : to->list("e/").take()) {
      auto opened = open(*to);
      ASSERT_NE(opened, nullptr) << nth;
      auto content = repo::read_snapshot(*opened, verdict.key.substr(2));
      ASSERT_TRUE(content.ok()) << nth << content.error().text();
      EXPECT_EQ(*content, verdict.key.substr(2) == first_id ? first : second) << nth;
    }
    EXPECT_TRUE(must_sync(*to).whole()) << nth;
    expect_whole(*to, cat("system call ", nth, ": "));
    if (HasFailure()) return;
  }
}

TEST_F(Sync, AnotherRepositoryIsRefused) {
  ASSERT_TRUE(repo::init_repository(copy, clock, *random, key, repo::cheap_keys).ok());
  auto before = copy.list("", {}).take().size();
  auto report = sync(copy);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().exit_code(), ExitCode::refused);
  EXPECT_EQ(copy.list("", {})->size(), before);
  MemoryBlobStore strange;
  ASSERT_TRUE(strange.put("holiday.jpg", view_of("x")).ok());
  EXPECT_EQ(sync(strange).error().exit_code(), ExitCode::refused);
  MemoryBlobStore none;
  auto nothing = sync_copy(none, copy, {}, {}, {});
  EXPECT_EQ(nothing.error().exit_code(), ExitCode::no_repository);
}

TEST_F(Sync, ACopyThatLostObjectsGetsThemBack) {
  must_sync(copy);
  for (const auto& object : copy.list("", {}).take()) {
    ASSERT_TRUE(copy.remove(object.key).ok());
    auto report = must_sync(copy);
    EXPECT_EQ(report.objects, 1u) << object.key;
    EXPECT_EQ(copy.get(object.key).value(), blobs.get(object.key).value());
  }
}

TEST_F(Sync, OtherBytesUnderTheSameKeyAreLoudAndStay) {
  must_sync(copy);
  auto pack = keys("p/").front();
  auto bad = blobs.get(pack).take();
  bad.resize(bad.size() / 2);
  copy.tamper(pack, bad);
  ASSERT_TRUE(copy.remove(cat("e/", second_id)).ok());
  for (bool with_key : {false, true}) {
    auto report = must_sync(copy, with_key);
    EXPECT_EQ(keys_of(report.conflicts), std::vector<std::string>{pack});
    EXPECT_EQ(copy.get(pack).value(), bad) << "never overwritten";
    EXPECT_EQ(keys_of(report.held), std::vector<std::string>{cat("e/", second_id)})
        << "a snapshot that needs it does not come to light";
  }
}

TEST_F(Sync, ARivalWithOtherBytesIsAConflict) {
  auto pack = keys("p/").front();
  auto bad = damaged(pack, 100);
  // The fault itself never happens: nth is beyond the only call.
  FaultBlobStore quiet(
      copy, {.nth = 1'000'000, .only = BlobCall::put, .prefix = pack, .before = [&](const auto&) {
               EXPECT_TRUE(copy.put(pack, bad).ok());
             }});
  auto report = must_sync(quiet);
  EXPECT_EQ(keys_of(report.conflicts), std::vector<std::string>{pack});
  EXPECT_EQ(copy.get(pack).value(), bad);
  EXPECT_FALSE(report.held.empty());
}

TEST_F(Sync, DamageInTheSourceIsNotCopiedAndTheRestIs) {
  for (const auto& object : keys()) {
    if (object == "repo" || object.starts_with("i/")) continue;
    auto good = blobs.get(object).take();
    // Slots prove themselves by their text; all else needs the key for a flipped bit.
    for (bool cut : {true, false}) {
      MemoryBlobStore to;
      blobs.tamper(object,
                   cut ? Buffer(good.begin(), good.end() - 1) : damaged(object, good.size() / 2));
      auto report = must_sync(to);
      blobs.tamper(object, good);
      EXPECT_EQ(keys_of(report.unreadable), std::vector<std::string>{object}) << cut;
      EXPECT_FALSE(to.info(object).ok()) << "damage is not copied";
      EXPECT_GE(report.objects + report.held.size(), keys().size() - keys("i/").size() - 1);
      EXPECT_TRUE(!object.starts_with("p/") || !report.held.empty()) << object;
      EXPECT_TRUE(must_sync(to).whole());
      expect_whole(to, object);
      if (HasFailure()) return;
    }
  }
}

TEST_F(Sync, WithoutAKeyACutPackHoldsBackEverySnapshot) {
  auto pack = keys("p/").back();
  auto good = blobs.get(pack).take();
  blobs.tamper(pack, Buffer(good.begin(), good.end() - 9));
  auto report = must_sync(copy, false);
  EXPECT_EQ(keys_of(report.unreadable), std::vector<std::string>{pack});
  EXPECT_EQ(report.held.size(), 2u);
  EXPECT_TRUE(copy.list("e/", {})->empty());
  auto with_key = must_sync(copy);
  EXPECT_EQ(with_key.held.size(), 1u) << "the first snapshot does not need it";
}

TEST_F(Sync, ASnapshotWithoutItsPackIsHeldBack) {
  auto pack = keys("p/").back();
  ASSERT_TRUE(blobs.remove(pack).ok());
  auto report = must_sync(copy);
  EXPECT_EQ(keys_of(report.held), std::vector<std::string>{cat("e/", second_id)});
  EXPECT_EQ(copy.list("e/", {})->size(), 1u);
}

// A whole session lands between the two listings of the source, and another between listing and
// copying: neither may show in the copy without its packs.
TEST_F(Sync, SnapshotsThatAreCommittedMeanwhileAreNeverHalf) {
  for (std::uint64_t nth = 0; nth < 40; ++nth) {
    MemoryBlobStore to;
    bool done = false;
    std::uint64_t calls = 0;
    FaultBlobStore busy(blobs, {.nth = 1'000'000, .before = [&](const auto&) {
                                  if (calls++ != nth || done) return;
                                  done = true;
                                  second_id = back_up(second).id;
                                }});
    auto report = sync_copy(busy, to, {.workers = 1}, {}, {});
    ASSERT_TRUE(report.ok()) << report.error().text();
    expect_whole(to, cat("call ", nth, ": "));
    if (HasFailure()) return;
    if (!done) break;
  }
}

TEST_F(Sync, TailsThatGoAreNoTroubleAndSupersededOnesAreRemoved) {
  must_sync(copy);
  auto tail = "w/db/00000001/0000000000000007.t00000000";
  EXPECT_TRUE(copy.info(tail).ok());
  // The segment becomes whole between the listing and the copying of its next tail.
  ASSERT_TRUE(repository->put_log_tail({"db", 1, 7}, 4, view_of(" more"), {}).ok());
  FaultBlobStore busy(
      blobs,
      {.nth = 1'000'000,
       .only = BlobCall::get,
       .prefix = "w/db/00000001/0000000000000007.t00000004",
       .before = [&](const auto&) {
         EXPECT_TRUE(repository->put_log({"db", 1, 7}, view_of("tail more and all"), {}).ok());
       }});
  auto report = sync_copy(busy, copy, {}, {}, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_TRUE(report->whole());
  EXPECT_EQ(report->gone, 1u);
  EXPECT_EQ(text_of(open(copy)->get_log({"db", 1, 7}).value()), "tail");
  must_sync(copy);
  EXPECT_EQ(text_of(open(copy)->get_log({"db", 1, 7}).value()), "tail more and all");
  EXPECT_FALSE(copy.info(tail).ok()) << "of no more use";
  EXPECT_EQ(must_sync(copy).objects, 0u);
}

TEST_F(Sync, ACopyThatGivesBackOtherBytesIsSaidSo) {
  FaultBlobStore liar(copy,
                      {.fault = BlobFault::flip, .only = BlobCall::get_range, .prefix = "p/"});
  auto report = sync(liar);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::corrupt);
  expect_whole(copy, "liar: ");
  EXPECT_TRUE(must_sync(copy).whole());
}

TEST_F(Sync, KeepsWhatOnlyTheCopyHasAndSaysSo) {
  must_sync(copy);
  ASSERT_TRUE(blobs.remove("r/drill/r1").ok());
  auto report = must_sync(copy);
  EXPECT_EQ(report.only_in_copy, std::vector<std::string>{"r/drill/r1"});
  EXPECT_TRUE(copy.info("r/drill/r1").ok());
}

TEST_F(Sync, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  auto report = sync_copy(blobs, copy, {}, stop.get_token(), {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::cancelled);
}

TEST(CopyPlan, VerdictsAreTheLastAndAffairsOfOnePlaceStay) {
  EXPECT_EQ(phase_of("repo"), Phase::opening);
  EXPECT_EQ(phase_of("k/first"), Phase::opening);
  EXPECT_EQ(phase_of("p/s/00000000"), Phase::packs);
  EXPECT_EQ(phase_of("x/s.00000000"), Phase::derived);
  EXPECT_EQ(phase_of("m/s"), Phase::derived);
  EXPECT_EQ(phase_of("w/db/00000001/0000000000000001"), Phase::logs);
  EXPECT_EQ(phase_of("r/journal/x"), Phase::records);
  EXPECT_EQ(phase_of("e/s"), Phase::verdicts);
  for (auto stays : {"i/s", "g/1", "d/1", "l/1", "q/1"}) EXPECT_FALSE(phase_of(stays)) << stays;
}

}  // namespace
}  // namespace lb::copy
