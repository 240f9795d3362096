// Damage to every kind of object that the care of a repository makes: seen and named by verify, and
// whatever is done next, by a collector, a writer or a reader, no point that counts is lost.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/key_slots.h"
#include "storage/repo/merge_indexes.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class CareDamage : public MemoryRepository {
 protected:
  static Content files(int count, int step) {
    Content out;
    for (int i = 0; i < count; i += step) {
      out[cat("f", 100 + i)] = noise(1000 + static_cast<std::uint64_t>(i), 150'000);
    }
    return out;
  }
  const Core& core() { return *repository->core(); }

  // Two ledgers, a repacking that stands for two, merged indexes, a second key, two quarantines,
  // and a collection that stopped between its decision and the deletion.
  CareDamage() {
    auto all = back_up(files(30, 1)).id, half = back_up(files(30, 2)).id;
    kept = back_up(files(30, 6)).id;
    forget_and_repack(all);
    EXPECT_TRUE(Collector(core(), {Micros(0)}, {}).run().ok());
    for (std::uint64_t i = 0; i < 8; ++i)
      back_up({{cat("small", i), noise(50 + i, 2000)}}, nullptr, "small");
    EXPECT_GT(merge_indexes(core(), {}).take().objects, 0u);
    KeySlots slots(blobs, clock, *random, core().keys);
    Secret other{std::string_view("a second passphrase")};
    EXPECT_TRUE(slots.add("other", keys::Grant::read_and_write, other, {1, 8192}).ok());
    forget_and_repack(half);
    auto garbage = back_up(files(5, 1), nullptr, "other").id;
    last = back_up(files(30, 10)).id;
    EXPECT_TRUE(forget(core(), {garbage}, clock.now()).ok());
    FaultBlobStore stopped(blobs, {.lasting = true, .only = BlobCall::remove, .prefix = "p/"});
    EXPECT_FALSE(Collector(*open(stopped)->core(), {Micros(0)}, {}).run().ok());
    EXPECT_TRUE(put_quarantine(core(), {keys("p/").back()}).ok());
    EXPECT_TRUE(put_quarantine(core(), {keys("p/").back(), keys("p/").front()}).ok());
    for (const auto& object : keys()) whole[object] = blobs.get(object).take();
    auto report = verify();
    EXPECT_TRUE(report.clean()) << describe(report);
  }
  void forget_and_repack(const std::string& session) {
    EXPECT_TRUE(forget(core(), {session}, clock.now()).ok());
    auto moved = Repacker(core(), {.below = 0.9, .budget_share = 1}, {}, {}).run({});
    ASSERT_TRUE(moved.ok()) << moved.error().text();
    EXPECT_GT(moved->packs, 0u);
  }
  std::vector<std::string> kinds_of_care() {
    std::vector<std::string> out;
    for (const auto& [object, bytes] : whole) {
      bool packs = object.starts_with("p/") || object.starts_with("i/") || object == "repo";
      if (!packs) out.push_back(object);
    }
    return out;
  }

  // With the damage of this moment: seen, and nothing that counts is lost by whoever goes on.
  void expect_seen(const std::set<std::string>& objects, const std::string& where) {
    auto opened = open_repository(blobs, clock, *random, key, small_budget);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().exit_code(), ExitCode::damaged) << where << opened.error().text();
    } else {
      auto report = (*opened)->verify({}, {}, {});
      ASSERT_TRUE(report.ok()) << where << report.error().text();
      for (const auto& object : objects) {
        bool named = std::any_of(report->findings.begin(), report->findings.end(),
                                 [&](const Finding& finding) { return finding.object == object; });
        EXPECT_TRUE(named) << where << object << " is not named\n" << describe(*report);
      }
      go_on(**opened, where);
    }
    for (const auto& object : keys()) ASSERT_TRUE(blobs.remove(object).ok());
    for (const auto& [object, bytes] : whole) ASSERT_TRUE(blobs.put(object, bytes).ok());
  }
  // A backup, then a collection and a repacking, which may refuse. Then what was damaged is put
  // right again: everything is there.
  void go_on(Repository& repo, const std::string& where) {
    auto more = files(30, 7);
    auto added = write_snapshot(repo, "data", more, clock.now());
    (void)Collector(*repo.core(), {Micros(0)}, {}).run().ok();
    (void)Repacker(*repo.core(), {.below = 0.9, .budget_share = 1}, {}, {}).run({}).ok();
    (void)Collector(*repo.core(), {Micros(0)}, {}).run().ok();
    for (const auto& [object, bytes] : whole) {
      auto there = blobs.get(object);
      if (there.ok() && *there != bytes) blobs.tamper(object, bytes);
    }
    std::map<std::string, Content> wanted = {{kept, files(30, 6)}, {last, files(30, 10)}};
    if (added.ok()) wanted[added->id] = more;
    auto again = open(blobs);
    ASSERT_NE(again, nullptr) << where;
    for (const auto& [id, content] : wanted) {
      auto got = read_snapshot(*again, id);
      ASSERT_TRUE(got.ok()) << where << id << ": " << got.error().text();
      EXPECT_EQ(*got, content) << where << id;
    }
  }

  std::string kept, last;
  std::map<std::string, Buffer> whole;
};

TEST_F(CareDamage, MeetsEveryKind) {
  for (const char* kind : {"e/", "g/", "k/", "l/", "q/"}) EXPECT_GE(keys(kind).size(), 2u) << kind;
  EXPECT_EQ(keys("d/").size(), 1u);
  EXPECT_EQ(keys("e/").size(), 11u) << "ten points and a repacking";
  EXPECT_GE(keys("x/m").size(), 1u);
}

TEST_F(CareDamage, AFlippedBitIsSeenAndCostsNoPoint) {
  for (const auto& object : kinds_of_care()) {
    const auto& good = whole[object];
    for (std::size_t at : {std::size_t{0}, std::size_t{4}, good.size() / 2, good.size() - 1}) {
      auto bad = good;
      bad[at] ^= 1;
      blobs.tamper(object, bad);
      expect_seen({object}, cat(object, " byte ", at, ": "));
      if (HasFailure()) return;
    }
  }
}

TEST_F(CareDamage, ACutObjectIsSeenAndCostsNoPoint) {
  for (const auto& object : kinds_of_care()) {
    const auto& good = whole[object];
    for (auto size : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      blobs.tamper(object, Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
      expect_seen({object}, cat(object, " cut to ", size, ": "));
      if (HasFailure()) return;
    }
  }
}

TEST_F(CareDamage, ObjectsThatStandInForOneAnotherAreSeen) {
  auto swap = [&](const std::string& one, const std::string& other) {
    blobs.tamper(one, whole[other]);
    blobs.tamper(other, whole[one]);
    expect_seen({one, other}, cat("swapped ", one, " and ", other, ": "));
  };
  for (const char* kind : {"e/", "g/", "l/", "q/", "x/", "k/"}) {
    auto names = keys(kind);
    for (std::size_t i = 1; i < names.size() && !HasFailure(); ++i) swap(names[i - 1], names[i]);
  }
  if (!HasFailure()) swap(keys("g/").front(), keys("d/").front());
  if (!HasFailure()) swap(keys("l/").front(), keys("q/").front());
}

}  // namespace
}  // namespace lb::repo
