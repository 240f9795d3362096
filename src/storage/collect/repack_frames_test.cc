// Frames that are needed only in part: what is needed in them is put together anew.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/collect/stage.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/frame_reader.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

constexpr RepackOptions greedy{.below = 0.95, .budget_share = 1.0};

class RepackingFrames : public MemoryRepository {
 protected:
  const Core& core() { return *repository->core(); }
  // Many in a frame; every `step`th of them.
  static Content small_files(int count, int step = 1, std::uint64_t seed = 1) {
    Content out;
    for (int i = 0; i < count; i += step) {
      auto number = static_cast<std::uint64_t>(i);
      out[cat("f", 10000 + i)] = noise(seed * 10000 + number, 500 + number * 7919 % 30'000);
    }
    return out;
  }
  static std::uint64_t bytes_of(const Content& content) {
    std::uint64_t out = 0;
    for (const auto& [name, bytes] : content) out += bytes.size();
    return out;
  }
  CollectReport collect() {
    auto report = Collector(core(), {}, {}).run();
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : CollectReport{};
  }
  RepackReport repack(const RepackOptions& options = greedy) {
    auto report = Repacker(core(), options, {}, {}).run({});
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : RepackReport{};
  }
  void forget_all(const std::vector<std::string>& sessions) {
    auto done = forget(core(), sessions, clock.now());
    EXPECT_TRUE(done.ok()) << done.error().text();
  }
  std::uint64_t pack_bytes_there() {
    std::uint64_t out = 0;
    for (const auto& pack : blobs.list("p/", {}).take()) out += pack.size;
    return out;
  }
  std::vector<Verdict> moves() {
    std::vector<Verdict> out;
    for (const auto& object : keys("e/")) {
      auto verdict = open_verdict(core().keys, object.substr(2), blobs.get(object).value());
      if (verdict.ok() && verdict->moved) out.push_back(std::move(verdict).take());
    }
    return out;
  }
  std::uint64_t opened_frames() {
    std::uint64_t out = 0;
    for (const auto& verdict : moves()) {
      for (const auto& pack : verdict.moved->from) {
        for (const auto& frame : pack.frames) out += frame.whole() ? 0u : 1u;
      }
    }
    return out;
  }
  void expect_clean(const std::string& where = {}) {
    for (bool deep : {false, true}) {
      auto report = verify({.deep = deep});
      EXPECT_TRUE(report.clean()) << where << describe(report);
    }
  }
  // A point with everything and one with a quarter of it, and the first forgotten.
  void thin_out() {
    auto all = back_up(small_files(400)).id;
    kept = back_up(small_files(400, 4)).id;
    forget_all({all});
    collect();
  }

  std::string kept;
};

TEST_F(RepackingFrames, AreOpenedAndOnlyWhatIsNeededStays) {
  thin_out();
  auto before = pack_bytes_there();
  auto needed = bytes_of(small_files(400, 4));
  ASSERT_GT(before, 3 * needed) << "nearly every frame has something that is needed";
  auto plan = Repacker(core(), greedy, {}, {}).plan().take();
  auto report = repack();
  EXPECT_EQ(plan.live_bytes, report.moved_bytes);
  EXPECT_GT(opened_frames(), 10u);
  EXPECT_LE(report.new_bytes, needed + needed / 10);
  collect();
  EXPECT_LE(pack_bytes_there(), needed + needed / 10);
  EXPECT_EQ(read(kept), small_files(400, 4));
  expect_clean();
  EXPECT_EQ(repack().packs, 0u) << "nothing is left to do";
}

TEST_F(RepackingFrames, ReadsOfEveryKindFindWhatWasMoved) {
  thin_out();
  auto reader = repository->snapshot(kept).take();
  auto rows = all_rows(*reader).take();
  repack();
  collect();
  auto content = small_files(400, 4);
  ContentSink sink(rows);
  ASSERT_TRUE(reader->fetch(rows, sink, 2, {}).ok());
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(sink.content[i], content[rows[i].key]);
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    auto part = reader->read(*row, row->size / 3, row->size / 2);
    ASSERT_TRUE(part.ok()) << part.error().text();
    EXPECT_EQ(text_of(*part), content[row->key].substr(row->size / 3, row->size / 2));
  }
}

TEST_F(RepackingFrames, MoveAgainAndAgain) {
  auto all = back_up(small_files(400)).id;
  auto half = back_up(small_files(400, 2)).id, eighth = back_up(small_files(400, 8)).id;
  forget_all({all});
  for (const auto& goes : {std::string(), half}) {
    if (!goes.empty()) forget_all({goes});
    collect();
    EXPECT_GT(repack().packs, 0u);
    collect();
    if (goes.empty()) {
      EXPECT_EQ(read(half), small_files(400, 2));
    }
    EXPECT_EQ(read(eighth), small_files(400, 8));
    EXPECT_EQ(moves().size(), 1u);
    expect_clean();
  }
  auto needed = bytes_of(small_files(400, 8));
  EXPECT_LE(pack_bytes_there(), needed + needed / 3);
}

// A backup that runs meanwhile finds, in the old pack, what no point needs.
TEST_F(RepackingFrames, WhatWasLeftBehindStaysForAWriterThatReliedOnIt) {
  thin_out();
  auto running = repository->begin("data", nullptr, {}).take();
  auto other = small_files(400, 5);
  for (const auto& [name, bytes] : other) ASSERT_TRUE(write_row(*running, name, bytes).ok());
  EXPECT_GT(repack().packs, 0u);
  EXPECT_EQ(collect().deleted_packs, 0u);
  SnapshotMeta meta;
  meta.store = "data";
  meta.kind = "files";
  auto committed = running->commit(meta);
  ASSERT_TRUE(committed.ok()) << committed.error().text();
  for (int round = 0; round < 3; ++round) {
    collect();
    EXPECT_EQ(read(committed->id), other) << round;
    EXPECT_EQ(read(kept), small_files(400, 4)) << round;
    expect_clean();
    repack();
  }
  forget_all({kept});
  collect();
  repack();
  collect();
  EXPECT_EQ(read(committed->id), other);
  expect_clean();
}

// Content that was damaged before it was sealed is not sealed anew as if it were good.
TEST_F(RepackingFrames, ThatDoNotHoldTheirChunksAreMovedAsTheyAre) {
  thin_out();
  auto plan = Repacker(core(), greedy, {}, {}).plan().take();
  const auto& pack = plan.packs.front();
  auto live = pack.live.front();
  auto bytes = blobs.get(pack.name).value();
  auto end = FrameReader(core()).end_of(pack.name, pack.bytes).take();
  const auto& frame = end.frames[live.frame];
  auto sealed = MutableBytes(bytes).subspan(frame.offset, frame.sealed_bytes);
  auto form = open_form(core().keys, *end.trailer.aead, pack.name, live.frame, sealed).take();
  form[5 + live.offset] ^= 1;  // noise is not compressed
  Buffer changed(form.begin(), form.end());
  seal_frame(core().keys, *end.trailer.aead, pack.name, live.frame, {{}, changed}, sealed);
  blobs.tamper(pack.name, bytes);
  auto report = repack();
  ASSERT_EQ(report.moved_damaged.size(), 1u);
  EXPECT_NE(report.moved_damaged[0].find(pack.name), std::string::npos);
  collect();
  EXPECT_FALSE(blobs.info(pack.name).ok());
  auto reader = repository->snapshot(kept).take();
  auto rows = all_rows(*reader).take();
  std::size_t damaged = 0;
  auto content = small_files(400, 4);
  for (const auto& row : rows) {
    auto got = reader->read(row, 0, row.size);
    if (got.ok()) {
      EXPECT_EQ(text_of(*got), content[row.key]);
    } else {
      ++damaged;
    }
  }
  EXPECT_EQ(damaged, 1u) << "the neighbours of the chunk are as they were";
  EXPECT_TRUE(verify().clean());
  EXPECT_FALSE(verify({.deep = true}).clean());
}

TEST_F(RepackingFrames, AFlippedBitIsSeenAndNeverRestored) {
  thin_out();
  repack();
  collect();
  ASSERT_GT(opened_frames(), 0u);
  auto session = moves().front().info.id;
  auto objects = keys(cat("p/", session));
  objects.push_back(verdict_key(session));
  for (const auto& object : objects) {
    auto good = blobs.get(object).take();
    auto step = object.starts_with("e/") ? 1 : good.size() / 40;
    for (std::size_t at = 0; at < good.size(); at += step) {
      auto bad = good;
      bad[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
      blobs.tamper(object, bad);
      auto report = verify();
      bool named = std::any_of(report.findings.begin(), report.findings.end(),
                               [&](const auto& finding) { return finding.object == object; });
      ASSERT_TRUE(named) << object << " byte " << at << ": " << describe(report);
      auto content = read_snapshot(*open(blobs), kept);
      ASSERT_TRUE(!content.ok() || *content == small_files(400, 4)) << object << " byte " << at;
    }
    blobs.tamper(object, good);
  }
  expect_clean();
}

TEST_F(RepackingFrames, ABudgetCountsWhatIsWritten) {
  thin_out();
  RepackOptions options = greedy;
  options.budget_bytes = 600'000;
  auto report = repack(options);
  EXPECT_GT(report.beyond_budget, 0u);
  EXPECT_LE(report.new_bytes, 1'000'000u) << "one pack may be larger than the budget";
  for (int run = 0; run < 6; ++run) {
    collect();
    repack(options);
  }
  collect();
  auto needed = bytes_of(small_files(400, 4));
  EXPECT_LE(pack_bytes_there(), needed + needed / 4);
  EXPECT_EQ(read(kept), small_files(400, 4));
  expect_clean();
}

TEST_F(RepackingFrames, OnlySoManyChunksAreLookedAtInOneRun) {
  thin_out();
  RepackOptions options = greedy;
  options.chunks_max = 40;
  auto report = repack(options);
  EXPECT_EQ(report.packs, 1u);
  EXPECT_GT(report.beyond_budget, 0u);
  for (int run = 0; run < 6; ++run) {
    collect();
    repack(options);
  }
  collect();
  auto needed = bytes_of(small_files(400, 4));
  EXPECT_LE(pack_bytes_there(), needed + needed / 4);
  EXPECT_EQ(read(kept), small_files(400, 4));
  expect_clean();
}

// What has no room in a new verdict goes on standing in the old ones.
TEST_F(RepackingFrames, OlderVerdictsMayGoOnStanding) {
  thin_out();
  RepackOptions options = greedy;
  options.budget_bytes = 300'000;
  options.carried_bytes_max = 0;
  for (int run = 0; run < 8; ++run) {
    repack(options);
    collect();
    EXPECT_EQ(read(kept), small_files(400, 4)) << run;
  }
  EXPECT_GT(moves().size(), 1u);
  expect_clean();
  auto few = back_up(small_files(400, 8)).id;
  forget_all({kept});
  collect();
  repack(options);
  collect();
  EXPECT_EQ(read(few), small_files(400, 8));
  expect_clean();
  repack();
  collect();
  EXPECT_EQ(repack().packs, 0u);
  EXPECT_EQ(moves().size(), 1u) << "what newer ones say as well is of no more use";
  EXPECT_EQ(read(few), small_files(400, 8));
  expect_clean();
}

// Nor is it said that all of it was moved while the old pack is missing: a copy may bring it back.
TEST_F(RepackingFrames, WhatWasLeftBehindComesBackWithItsPack) {
  thin_out();
  auto all = back_up(small_files(200, 1, 2), nullptr, "other").id;
  auto few = back_up(small_files(200, 4, 2), nullptr, "other").id;
  auto running = repository->begin("data", nullptr, {}).take();
  auto other = small_files(400, 5);
  for (const auto& [name, bytes] : other) ASSERT_TRUE(write_row(*running, name, bytes).ok());
  EXPECT_GT(repack().packs, 0u);
  SnapshotMeta meta;
  meta.store = "data";
  meta.kind = "files";
  auto committed = running->commit(meta).take();
  collect();
  std::map<std::string, Buffer> missing;
  auto first = moves().front();
  for (const auto& pack : first.moved->from) {
    if (blobs.info(pack.name).ok()) missing.emplace(pack.name, blobs.get(pack.name).take());
  }
  ASSERT_FALSE(missing.empty());
  for (const auto& [pack, bytes] : missing) ASSERT_TRUE(blobs.remove(pack).ok());
  forget_all({all});
  collect();
  EXPECT_GT(repack({.below = 0.5, .budget_share = 1}).packs, 0u);
  collect();
  for (const auto& [pack, bytes] : missing) ASSERT_TRUE(blobs.put(pack, bytes).ok());
  collect();
  EXPECT_EQ(read(committed.id), other);
  EXPECT_EQ(read(kept), small_files(400, 4));
  EXPECT_EQ(read(few), small_files(200, 4, 2));
  expect_clean();
}

// Whatever others do between any two calls of a repacking.
TEST_F(RepackingFrames, AnythingMayHappenMeanwhile) {
  Content large;  // in frames of their own
  for (int i = 0; i < 12; ++i)
    large[cat("large", i)] = noise(static_cast<std::uint64_t>(i) + 1, 250'000);
  auto everything = small_files(400), some = small_files(400, 6);
  everything.insert(large.begin(), large.end());
  some.insert(large.begin(), std::next(large.begin(), 3));
  auto all = back_up(everything).id;
  kept = back_up(small_files(400, 4)).id;
  auto half = back_up(some).id;
  forget_all({all});
  collect();
  std::map<std::string, Buffer> before;
  for (const auto& object : keys()) before.emplace(object, blobs.get(object).take());
  auto left_behind = small_files(400, 5);
  for (bool forgets : {true, false}) {
    for (std::uint64_t nth = 0;; ++nth) {
      for (const auto& object : keys()) ASSERT_TRUE(blobs.remove(object).ok());
      for (const auto& [object, bytes] : before) ASSERT_TRUE(blobs.put(object, bytes).ok());
      std::uint64_t calls = 0;
      bool fired = false;
      std::string other;
      FaultBlobStore store(blobs, {.nth = UINT64_MAX, .before = [&](const std::string&) {
                                     if (calls++ != nth) return;
                                     fired = true;
                                     if (forgets) forget_all({half});
                                     if (forgets) collect();
                                     if (!forgets) other = back_up(left_behind).id;
                                   }});
      auto opened = open(store);
      calls = 0;
      auto done = Repacker(*opened->core(), greedy, {}, {}).run({});
      ASSERT_TRUE(done.ok() || done.error().kind() == ErrorKind::conflict)
          << nth << ": " << done.error().text();
      for (int round = 0; round < 2; ++round) {
        collect();
        ASSERT_EQ(read(kept), small_files(400, 4)) << nth;
        if (!forgets || !fired) {
          ASSERT_EQ(read(half), some) << nth;
        }
        if (!other.empty()) {
          ASSERT_EQ(read(other), left_behind) << nth;
        }
        repack();
      }
      ASSERT_TRUE(verify().clean()) << nth << describe(verify());
      if (!fired) break;
    }
  }
}

class RandomLives : public RepackingFrames, public testing::WithParamInterface<int> {
 protected:
  static Content some_files(Dice& dice) {
    Content out;
    for (std::uint64_t i = 0; i < 120; ++i) {
      if (!dice.one_in(3)) continue;
      auto size = i % 10 == 0 ? 180'000 + i * 100 : 200 + i * 6271 % 20'000;
      out[cat("f", 1000 + i)] = noise(i + 1, size);
    }
    return out;
  }
};

TEST_P(RandomLives, KeepEveryPointAndFreeTheRest) {
  Dice dice(static_cast<std::uint64_t>(GetParam()));
  // Otherwise backups find a chunk in its old place and in the new, and rely on either.
  bool prompt = GetParam() % 2 == 0;
  std::map<std::string, Content> points;
  for (int step = 0; step < 14; ++step) {
    clock.advance(Seconds(60));
    if (points.size() < 2 || dice.one_in(2)) {
      auto content = some_files(dice);
      points.emplace(back_up(content).id, content);
    } else {
      auto goes = std::next(points.begin(), static_cast<int>(dice.below(points.size())));
      forget_all({goes->first});
      points.erase(goes);
    }
    if (dice.one_in(3)) collect();
    RepackOptions options = greedy;
    if (dice.one_in(2)) options.below = 0.6;
    if (dice.one_in(3)) options.budget_bytes = 200'000;
    if (dice.one_in(3)) options.carried_bytes_max = 200;
    bool repacks = dice.one_in(2);
    if (repacks) repack(options);
    if (dice.one_in(2) || (repacks && prompt)) collect();
    for (const auto& [id, content] : points) ASSERT_EQ(read(id), content) << "step " << step;
  }
  expect_clean();
  collect();
  repack();
  collect();
  Content all;
  for (const auto& [id, content] : points) all.insert(content.begin(), content.end());
  auto needed = bytes_of(all);
  if (prompt) {
    EXPECT_LE(pack_bytes_there(), needed + needed / 2) << "of " << needed;
  }
  for (const auto& [id, content] : points) EXPECT_EQ(read(id), content);
  expect_clean();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLives, testing::Range(1, 25));

}  // namespace
}  // namespace lb::repo
