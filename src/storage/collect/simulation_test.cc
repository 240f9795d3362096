// The real writer and the real collector on one store, in orders drawn from seeds, with everything
// going wrong that stores and hosts do: after every step each point that counts has its packs, and
// in the end each reads back byte for byte.
#include <gtest/gtest.h>

#include <set>

#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/collect/stage.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"
#include "storage/repo/verdict.h"

namespace lb::repo {
namespace {

constexpr Micros year = std::chrono::hours(24 * 365);

// What the actors did, for judging the end. Guarded: they are threads.
struct Story {
  std::mutex mutex;
  std::map<std::string, Content> contents;  // of every session that tried to commit
  std::set<std::string> told_ok, forgotten;
  std::uint64_t deleted = 0, rescued = 0, aborted = 0, conflicts = 0, moved = 0, opened = 0;
};

class Simulation : public MemoryRepository {
 protected:
  // A few files out of a small pool, so that snapshots share and shed chunks.
  static Content some_content(Dice& dice) {
    Content out;
    for (int i = 0; i < 4; ++i) {
      auto file = dice.below(9);
      out[cat("f", file)] = noise(file, 3000 + 4000 * file);
    }
    return out;
  }

  void write(BlobStore& store, SimClock& own, std::uint64_t seed, int sessions) {
    Dice dice(seed);
    auto chance = seeded_random(seed * 1000 + 7);
    auto opened =
        open_repository(store, own, *chance, key, {.workers = 1, .memory_bytes = 4 << 20});
    if (!opened.ok()) return;
    for (int i = 0; i < sessions; ++i) {
      own.advance(Seconds(60));
      auto done = write_one(**opened, own, dice);
      if (done.ok() || done.error().kind() != ErrorKind::conflict) continue;
      std::lock_guard lock(story.mutex);
      ++story.conflicts;
    }
  }

  Status write_one(Repository& repo, SimClock& own, Dice& dice) {
    auto content = some_content(dice);
    std::unique_ptr<SnapshotReader> parent;
    auto known = LB_TRY(repo.snapshots());
    if (!known.empty() && dice.one_in(2)) {
      auto reader = repo.snapshot(known.back().id);
      if (reader.ok()) parent = std::move(reader).take();
    }
    auto writer = LB_TRY(repo.begin("data", parent.get(), {}));
    for (const auto& [name, bytes] : content) {
      std::optional<Row> row;
      if (parent) {
        auto found = parent->find(name);  // may have been collected since
        if (found.ok()) row = std::move(*found);
      }
      bool reused = row && writer->reuse(*row, row->attributes).ok();
      if (!reused) LB_TRY(write_row(*writer, name, bytes));
    }
    {
      std::lock_guard lock(story.mutex);
      story.contents[writer->id()] = content;
    }
    SnapshotMeta meta;
    meta.store = "data";
    meta.kind = "files";
    meta.taken = own.now();
    LB_TRY(writer->commit(meta));
    std::lock_guard lock(story.mutex);
    story.told_ok.insert(writer->id());
    return {};
  }

  void care(BlobStore& store, SimClock& own, std::uint64_t seed, int rounds) {
    Dice dice(seed);
    auto chance = seeded_random(seed * 1000 + 7);
    auto opened = open_repository(store, own, *chance, key, small_budget);
    if (!opened.ok()) return;
    for (int i = 0; i < rounds; ++i) {
      own.advance(std::chrono::hours(1));
      forget_some(**opened, own, dice);
      CollectOptions options;
      options.grace = dice.one_in(2) ? Micros(0) : Micros(std::chrono::hours(24));
      if (dice.one_in(2)) repack(*(*opened)->core(), dice);
      auto report = Collector(*(*opened)->core(), options, {}).run();
      if (!report.ok()) continue;
      std::lock_guard lock(story.mutex);
      story.deleted += report->deleted_packs;
      story.rescued += report->rescued_packs;
      story.aborted += report->aborted.size();
    }
  }

  void repack(const Core& core, Dice& dice) {
    RepackOptions options{.below = dice.one_in(3) ? 0.5 : 1.0, .budget_share = 1};
    if (dice.one_in(3)) options.budget_bytes = 40'000;
    auto report = Repacker(core, options, {}, {}).run({});
    std::lock_guard lock(story.mutex);
    if (!report.ok()) return;
    story.moved += report->packs;
    story.opened += report->opened_frames;
  }

  void forget_some(Repository& repo, SimClock& own, Dice& dice) {
    auto known = repo.snapshots();
    if (!known.ok()) return;
    std::vector<std::string> doomed;
    for (const auto& snapshot : *known) {
      if (dice.one_in(2)) doomed.push_back(snapshot.id);
    }
    {
      std::lock_guard lock(story.mutex);  // it may happen although no answer comes
      story.forgotten.insert(doomed.begin(), doomed.end());
    }
    (void)forget(*repo.core(), doomed, own.now());  // judged by what is there in the end
  }

  // What somebody sees who reads meanwhile: each point as it was written, or that it is forgotten.
  void look_on(BlobStore& store, SimClock& own, std::uint64_t seed, int rounds) {
    auto chance = seeded_random(seed);
    auto repo = open_repository(store, own, *chance, key, small_budget);
    ASSERT_TRUE(repo.ok()) << repo.error().text();
    for (int i = 0; i < rounds; ++i) {
      auto listed = (*repo)->snapshots().take();
      for (const auto& info : listed) {
        auto content = read_snapshot(**repo, info.id);
        std::lock_guard lock(story.mutex);
        bool same = content.ok() && *content == story.contents[info.id];
        EXPECT_TRUE(same || (!content.ok() && story.forgotten.contains(info.id)))
            << info.id << ": " << (content.ok() ? "differs" : content.error().text());
      }
      auto report = (*repo)->verify({}, {}, {});
      ASSERT_TRUE(report.ok()) << report.error().text();
      EXPECT_TRUE(report->clean()) << describe(*report);
    }
  }

  // Calls `take` with each snapshot that counts and all repackings that do. Reads past the stage.
  template <typename Take>
  std::string each_snapshot(const Take& take) {
    const auto& core = *repository->core();
    auto care = read_ledger(core);
    if (!care.ok()) return care.error().text();
    Moves moves;
    std::vector<std::pair<Verdict, VerdictMark>> snapshots;
    for (const auto& object : blobs.list("e/", {}).take()) {
      auto session = object.key.substr(2);
      if (care->ledger.ended.contains(session)) continue;
      auto bytes = blobs.get(object.key).value();
      auto verdict = open_verdict(core.keys, session, bytes).value();
      if (verdict.moved) moves.add(verdict.moved);
      if (verdict.is_snapshot()) snapshots.emplace_back(verdict, verdict_mark(sha256(bytes)));
    }
    for (const auto& [verdict, mark] : snapshots) take(verdict, mark, moves);
    return {};
  }

  bool there(const std::string& pack) { return blobs.info(pack).ok(); }

  // Every pack that a snapshot which counts needs is there, or everything that stands for it is.
  std::string lost_packs() {
    std::string out;
    out += each_snapshot([&](const Verdict& verdict, const VerdictMark& mark, const Moves& moves) {
      for (const auto& pack : verdict.packs) {
        if (!pack.needed || there(pack.name)) continue;
        auto instead = moves.instead_of(pack.name, verdict.info.id, mark);
        if (!instead) out += cat(verdict.info.id, " lost ", pack.name, "\n");
        if (!instead) continue;
        for (const auto* target : instead->packs()) {
          if (!there(target->name)) out += cat(verdict.info.id, " lost moved ", target->name, "\n");
        }
      }
    });
    return out;
  }

  void watch(Stage& stage) {
    stage.after_call = [&](const std::string&, const std::string& call) {
      bool matters =
          call.starts_with("remove ") || call.starts_with("put e/") || call.starts_with("put l/");
      if (matters && lost_.empty()) lost_ = lost_packs();
    };
  }

  // After everything: all that counts reads back, nobody was lied to, nothing is left over.
  void judge(Stage& stage, const std::string& where) {
    EXPECT_EQ(lost_, "") << where << "\n" << stage.trace();
    auto check = [&](const std::string& when) {
      auto repo = open(blobs);
      auto listed = repo->snapshots().value();
      std::set<std::string> there;
      for (const auto& info : listed) {
        there.insert(info.id);
        auto content = read_snapshot(*repo, info.id);
        bool same = content.ok() && *content == story.contents[info.id];
        EXPECT_TRUE(same) << where << when << info.id << " "
                          << (content.ok() ? "differs" : content.error().text()) << "\n"
                          << stage.trace();
      }
      for (const auto& id : story.told_ok) {
        EXPECT_TRUE(there.contains(id) || story.forgotten.contains(id))
            << where << when << id << "\n"
            << stage.trace();
      }
      auto report = repo->verify({}, {}, {});
      ASSERT_TRUE(report.ok()) << where << when << report.error().text();
      EXPECT_TRUE(report->clean()) << where << when << describe(*report) << "\n" << stage.trace();
    };
    check(" before the last collection: ");
    clock.advance(40 * year);
    for (int i = 0; i < 2; ++i) {
      auto report = Collector(*repository->core(), {Micros(0)}, {}).run();
      ASSERT_TRUE(report.ok()) << where << report.error().text();
    }
    check(" after the last collection: ");
    std::set<std::string> needed;
    EXPECT_EQ(
        each_snapshot([&](const Verdict& verdict, const VerdictMark& mark, const Moves& moves) {
          for (const auto& pack : moves.needed(verdict, mark)) needed.insert(pack.name);
        }),
        "");
    auto packs = keys("p/");
    EXPECT_EQ(std::set<std::string>(packs.begin(), packs.end()), needed) << where << "\n"
                                                                         << stage.trace();
    for (const char* prefix : {"i/", "g/", "d/"})
      EXPECT_TRUE(keys(prefix).empty()) << where << prefix;
  }

  Story story;
  std::string lost_;
};

class Schedules : public Simulation, public testing::WithParamInterface<int> {};

// Two writers and two collectors, their clocks up to a year apart.
TEST_P(Schedules, KeepEveryPoint) {
  auto seed = static_cast<std::uint64_t>(GetParam());
  Dice dice(seed);
  StageFaults faults;
  if (dice.one_in(2)) faults.lost_answer = 12;
  if (dice.one_in(2)) faults.fail = 60;
  if (dice.one_in(2)) faults.die = 150;
  if (dice.one_in(2)) faults.clock_jump = 40;
  if (dice.one_in(2)) faults.page = 2;
  if (dice.one_in(4)) faults.power_cut_at = 50 + dice.below(400);
  Stage stage(blobs, seed, faults);
  watch(stage);
  auto start = [&] {
    return clock.now() + (dice.one_in(3) ? year : dice.one_in(2) ? -year : Micros(0));
  };
  for (int i = 0; i < 2; ++i) {
    auto own_seed = seed * 10 + static_cast<std::uint64_t>(i);
    stage.add(
        cat("writer ", i),
        [this, own_seed](BlobStore& store, SimClock& own) { write(store, own, own_seed, 3); },
        start());
    stage.add(
        cat("collector ", i),
        [this, own_seed](BlobStore& store, SimClock& own) { care(store, own, own_seed + 5, 3); },
        start());
  }
  stage.run();
  if (stage.power_cut()) blobs.crash();
  judge(stage, cat("seed ", seed));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Schedules, testing::Range(1, 61));
// Seeds that failed once.
INSTANTIATE_TEST_SUITE_P(Found, Schedules, testing::Values(8741));

class LookingOn : public Simulation, public testing::WithParamInterface<int> {};

TEST_P(LookingOn, NeverShowsDamage) {
  auto seed = static_cast<std::uint64_t>(GetParam());
  Dice dice(seed);
  StageFaults faults;
  if (dice.one_in(2)) faults.clock_jump = 40;
  if (dice.one_in(2)) faults.page = 2;
  Stage stage(blobs, seed, faults);
  watch(stage);
  auto act = [&](const std::string& name, auto play) {
    stage.add(
        name, [play, seed](BlobStore& store, SimClock& own) { play(store, own, seed); },
        clock.now());
  };
  act("writer", [this](auto& store, auto& own, auto from) { write(store, own, from, 4); });
  act("collector", [this](auto& store, auto& own, auto from) { care(store, own, from + 5, 4); });
  act("reader", [this](auto& store, auto& own, auto from) { look_on(store, own, from + 9, 3); });
  stage.run();
  judge(stage, cat("seed ", seed));
}

INSTANTIATE_TEST_SUITE_P(Seeds, LookingOn, testing::Range(1, 41));
INSTANTIATE_TEST_SUITE_P(Found, LookingOn, testing::Values(1185, 2345, 2396));

class EveryCall : public Simulation, public testing::WithParamInterface<int> {
 protected:
  // One session and one round after two sessions; the mortal one dies at the call of the test.
  bool play(bool writer_dies) {
    write_some();
    auto call = static_cast<std::uint64_t>(GetParam());
    StageFaults faults;
    faults.dies_at = call;
    Stage stage(blobs, call, faults);
    watch(stage);
    bool writer_lives = false, collector_lives = false;
    auto writer = [&](BlobStore& store, SimClock& own) {
      write(store, own, call, 1);
      writer_lives = store.list("l/", {}).ok();
    };
    auto collector = [&](BlobStore& store, SimClock& own) {
      care(store, own, call, 1);
      collector_lives = store.list("l/", {}).ok();
    };
    stage.add("writer", writer, clock.now(), writer_dies);
    stage.add("collector", collector, clock.now(), !writer_dies);
    stage.run();
    judge(stage, cat("call ", call));
    return writer_dies ? writer_lives : collector_lives;
  }
  void write_some() {
    SimClock own(clock.now());
    write(blobs, own, 5, 2);
    clock.advance(std::chrono::hours(1));
  }
};

constexpr int calls_max = 150;  // more than either makes

TEST_P(EveryCall, MayBeTheCollectorsLast) {
  auto lives = play(false);
  EXPECT_TRUE(lives || GetParam() < calls_max) << "not every call was tried";
}

TEST_P(EveryCall, MayBeTheWritersLast) {
  auto lives = play(true);
  EXPECT_TRUE(lives || GetParam() < calls_max) << "not every call was tried";
}

INSTANTIATE_TEST_SUITE_P(Calls, EveryCall, testing::Range(1, calls_max + 1));

// The schedules must meet what they are for.
TEST_F(Simulation, TheSchedulesDeleteRescueAndAbort) {
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    Stage stage(blobs, seed, {.lost_answer = 20, .page = 3});
    stage.add(
        "writer 1", [&, seed](BlobStore& store, SimClock& own) { write(store, own, seed, 3); },
        clock.now());
    stage.add(
        "writer 2",
        [&, seed](BlobStore& store, SimClock& own) { write(store, own, seed + 1000, 3); },
        clock.now());
    stage.add(
        "collector", [&, seed](BlobStore& store, SimClock& own) { care(store, own, seed, 3); },
        clock.now());
    stage.run();
    clock.advance(std::chrono::hours(4));
  }
  EXPECT_GT(story.deleted, 20u);
  EXPECT_GT(story.rescued, 0u);
  EXPECT_GT(story.aborted, 0u);
  EXPECT_GT(story.conflicts, 0u);
  EXPECT_GT(story.moved, 10u);
  EXPECT_GT(story.opened, 10u);
}

}  // namespace
}  // namespace lb::repo
