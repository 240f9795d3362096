#include "storage/collect/repack.h"

#include <gtest/gtest.h>

#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/moves_finder.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

constexpr RepackOptions greedy{.below = 0.9, .budget_share = 1.0};

class Repacking : public MemoryRepository {
 protected:
  const Core& core() { return *repository->core(); }
  // Files of about a frame each; every `step`th of them.
  static Content files(int count, int step = 1, std::uint64_t seed = 1) {
    Content out;
    for (int i = 0; i < count; i += step) {
      out[cat("f", 100 + i)] = noise(seed * 1000 + static_cast<std::uint64_t>(i), 200'000);
    }
    return out;
  }
  CollectReport collect(const CollectOptions& options = {}) {
    auto report = Collector(core(), options, {}).run();
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
  std::vector<std::string> moved_sessions() {
    std::vector<std::string> out;
    for (const auto& object : keys("e/")) {
      auto verdict = open_verdict(core().keys, object.substr(2), blobs.get(object).value());
      if (verdict.ok() && verdict->moved) out.push_back(object.substr(2));
    }
    return out;
  }
  void expect_clean() {
    for (bool deep : {false, true}) {
      auto report = verify({.deep = deep});
      EXPECT_TRUE(report.clean()) << describe(report);
    }
  }
  // A point with everything and one with a fifth of it, and the first forgotten.
  void thin_out() {
    auto all = back_up(files(40)).id;
    kept = back_up(files(40, 5)).id;
    forget_all({all});
    collect();
  }

  std::string kept;
};

TEST_F(Repacking, FreesThePartThatNoPointNeeds) {
  thin_out();
  auto before = pack_bytes_there();
  auto report = repack();
  EXPECT_GE(report.packs, 2u);
  EXPECT_GT(report.moved_bytes, 1'600'000u);
  auto collected = collect();
  EXPECT_EQ(collected.deleted_packs, report.packs);
  EXPECT_LT(pack_bytes_there(), before / 2) << "frames of two files, of which one is needed";
  EXPECT_EQ(read(kept), files(40, 5));
  expect_clean();
  EXPECT_EQ(repack().packs, 0u) << "nothing is left to do";
  EXPECT_EQ(collect().deleted_packs, 0u);
  EXPECT_TRUE(keys("i/").empty());
}

// The levels above the rows' blocks lie in packs too, and are needed like everything else.
TEST_F(Repacking, ALongTableKeepsItsUpperLevels) {
  constexpr int count = 20'000;
  auto attributes = [](int row, int version) {
    auto out = noise(static_cast<std::uint64_t>(row), 1100);
    if (row % 3 == 0) out[0] = static_cast<char>(version);
    return Buffer(out.begin(), out.end());
  };
  auto write = [&](int version) {
    clock.advance(Seconds(1));
    auto writer = repository->begin("data", nullptr, {}).take();
    for (int row = 0; row < count; ++row) {
      EXPECT_TRUE(writer->add(cat(100'000 + row), attributes(row, version)).ok());
    }
    return writer->commit({}).value().id;
  };
  auto first = write(1);
  auto second = write(2);
  forget_all({first});
  collect();
  EXPECT_GE(repack().packs, 1u);
  EXPECT_GE(collect().deleted_packs, 1u);
  auto snapshot = repository->snapshot(second).take();
  auto* stored = dynamic_cast<StoredSnapshot*>(snapshot.get());
  EXPECT_FALSE(stored->upper_extents().empty());
  auto rows = all_rows(*snapshot).take();
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(count));
  for (int row = 0; row < count; row += 7) {
    EXPECT_EQ(rows[static_cast<std::size_t>(row)].attributes, attributes(row, 2)) << row;
  }
  expect_clean();
}

TEST_F(Repacking, NothingIsDoneWhereNothingIsToGain) {
  back_up(files(20));
  auto before = keys();
  EXPECT_EQ(repack().packs, 0u);
  EXPECT_EQ(keys(), before);
}

TEST_F(Repacking, APlanChangesNothingAndSaysWhatARunDoes) {
  auto all = back_up(files(40)).id;
  kept = back_up(files(40, 5)).id;
  auto before = keys();
  auto plan = Repacker(core(), greedy, {all}, {}).plan();
  ASSERT_TRUE(plan.ok()) << plan.error().text();
  EXPECT_EQ(keys(), before);
  forget_all({all});
  collect();
  auto report = repack();
  EXPECT_EQ(plan->packs.size(), report.packs);
  EXPECT_EQ(plan->live_bytes, report.moved_bytes);
}

TEST_F(Repacking, StaysWithinItsBudgetAndGoesOn) {
  thin_out();
  auto before = pack_bytes_there();
  RepackOptions options = greedy;
  options.budget_bytes = 1;  // where chunks are cut is keyed, so sizes differ from run to run
  auto report = repack(options);
  EXPECT_EQ(report.packs, 1u) << "one in any case";
  EXPECT_GT(report.beyond_budget, 0u);
  collect();
  EXPECT_EQ(read(kept), files(40, 5));
  constexpr int runs_max = 100;
  int runs = 0;
  while (repack(options).packs == 1u && ++runs < runs_max) collect();
  EXPECT_GT(runs, 0);
  EXPECT_LT(runs, runs_max)
      << "a pack that holds little but its own end is not written over and over";
  EXPECT_LT(pack_bytes_there(), before / 2);
  EXPECT_EQ(read(kept), files(40, 5));
  EXPECT_EQ(moved_sessions().size(), 1u) << "each carries on what the ones before say";
  expect_clean();
  options.budget_bytes = 0;
  EXPECT_TRUE(options.nothing());
}

TEST_F(Repacking, TheThresholdDecides) {
  thin_out();
  EXPECT_EQ(repack({.below = 0.05, .budget_share = 1}).packs, 0u);
  EXPECT_GT(repack({.below = 0.5, .budget_share = 1}).packs, 0u);
}

TEST_F(Repacking, LockedPacksStay) {
  thin_out();
  RepackOptions options = greedy;
  options.locked = Micros(std::chrono::hours(24 * 365 * 100));
  EXPECT_EQ(repack(options).packs, 0u);
}

TEST_F(Repacking, WhatWasMovedMovesAgain) {
  thin_out();
  auto few = back_up(files(40, 20)).id;
  repack();
  collect();
  forget_all({kept});
  collect();
  auto report = repack();
  EXPECT_GT(report.packs, 0u) << "packs of the first repacking, now live in part";
  collect();
  EXPECT_EQ(read(few), files(40, 20));
  EXPECT_EQ(moved_sessions().size(), 1u);
  expect_clean();
}

TEST_F(Repacking, NewPointsUseWhatWasMoved) {
  thin_out();
  repack();
  collect();
  auto parent = repository->snapshot(kept).take();
  auto info = back_up(files(40, 5), parent.get());
  EXPECT_LT(info.new_bytes, 1000u) << "all of it is known by its new place";
  EXPECT_EQ(read(info.id), files(40, 5));
  expect_clean();
  // When none is left that knows the old places, the verdict of the repacking goes.
  forget_all({kept});
  collect();
  EXPECT_TRUE(moved_sessions().empty());
  EXPECT_EQ(read(info.id), files(40, 5));
  expect_clean();
}

TEST_F(Repacking, AWriterThatUsesTheOldPackMeanwhileKeepsIt) {
  thin_out();
  auto running = repository->begin("data", nullptr, {}).take();
  for (const auto& [name, bytes] : files(40, 5)) ASSERT_TRUE(write_row(*running, name, bytes).ok());
  auto report = repack();
  EXPECT_GT(report.packs, 0u);
  auto collected = collect();
  EXPECT_EQ(collected.awaited.size(), 1u);
  EXPECT_EQ(collected.deleted_packs, 0u);
  SnapshotMeta meta;
  meta.store = "data";
  meta.kind = "files";
  auto committed = running->commit(meta);
  ASSERT_TRUE(committed.ok()) << committed.error().text();
  EXPECT_GT(collect().rescued_packs, 0u);
  EXPECT_EQ(read(committed->id), files(40, 5));
  EXPECT_EQ(read(kept), files(40, 5));
  expect_clean();
  // All of it has been moved already: a new verdict is enough.
  auto before = keys("p/").size();
  auto again = repack();
  EXPECT_GT(again.packs, 0u);
  EXPECT_EQ(again.new_packs, 0u);
  EXPECT_GT(collect().deleted_packs, 0u);
  EXPECT_LT(keys("p/").size(), before);
  EXPECT_EQ(read(committed->id), files(40, 5));
  EXPECT_EQ(read(kept), files(40, 5));
  expect_clean();
}

TEST_F(Repacking, AReaderThatHasTheSnapshotOpenGoesOn) {
  thin_out();
  auto reader = repository->snapshot(kept).take();
  auto rows = all_rows(*reader).take();
  auto content = files(40, 5);
  EXPECT_EQ(text_of(reader->read(rows[1], 0, rows[1].size).take()), content[rows[1].key]);
  repack();
  collect();
  for (const auto& row : rows) {
    auto bytes = reader->read(row, 0, row.size);
    ASSERT_TRUE(bytes.ok()) << bytes.error().text();
    EXPECT_EQ(text_of(*bytes), content[row.key]);
  }
  ContentSink sink(rows);
  ASSERT_TRUE(reader->fetch(rows, sink, 2, {}).ok());
  EXPECT_EQ(sink.content[0], content[rows[0].key]);
}

TEST_F(Repacking, ALostVerdictOfARepackingIsNoticed) {
  thin_out();
  repack();
  collect();
  ASSERT_TRUE(blobs.remove(verdict_key(moved_sessions().front())).ok());
  auto report = verify();
  EXPECT_EQ(report.snapshots_damaged, std::vector<std::string>{kept});
  EXPECT_FALSE(read_snapshot(*open(blobs), kept).ok());
}

TEST_F(Repacking, ADamagedPackIsLeftAsItIs) {
  thin_out();
  auto plan = Repacker(core(), greedy, {}, {}).plan().take();
  ASSERT_GE(plan.packs.size(), 2u);
  const auto& pack = plan.packs[0];
  auto bytes = blobs.get(pack.name).value();
  FrameReader reader(core());
  auto end = reader.end_of(pack.name, pack.bytes).take();
  bytes[end.frames[pack.live[0].frame].offset + 5] ^= 1;
  blobs.tamper(pack.name, bytes);
  auto report = repack();
  EXPECT_EQ(report.skipped.size(), 1u);
  EXPECT_EQ(report.packs, plan.packs.size() - 1);
  collect();
  EXPECT_TRUE(blobs.info(pack.name).ok()) << "what can still be read of it";
}

TEST_F(Repacking, AFlippedBitAnywhereIsSeenAndNeverRestored) {
  thin_out();
  repack();
  collect();
  auto session = moved_sessions().front();
  auto objects = keys(cat("p/", session));
  objects.push_back(verdict_key(session));
  for (const auto& object : keys(cat("x/", session))) objects.push_back(object);
  for (const auto& object : objects) {
    auto good = blobs.get(object).take();
    auto step = object.starts_with("e/") ? 1 : good.size() / 25;
    for (std::size_t at = 0; at < good.size(); at += step) {
      auto bad = good;
      bad[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
      blobs.tamper(object, bad);
      auto report = verify();
      bool named = std::any_of(report.findings.begin(), report.findings.end(),
                               [&](const auto& finding) { return finding.object == object; });
      ASSERT_TRUE(named) << object << " byte " << at << ": " << describe(report);
      auto content = read_snapshot(*open(blobs), kept);
      ASSERT_TRUE(!content.ok() || *content == files(40, 5)) << object << " byte " << at;
    }
    for (auto size : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      blobs.tamper(object, Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
      ASSERT_FALSE(verify().clean()) << object << " cut to " << size;
    }
    blobs.tamper(object, good);
  }
  expect_clean();
}

TEST_F(Repacking, AHostThatMayOnlyWriteCannotMoveAnything) {
  thin_out();
  Moved moved;
  moved.session = fresh_session_id(core());
  moved.looked[kept] = verdict_mark(sha256(blobs.get(verdict_key(kept)).value()));
  for (const auto& pack : keys("p/")) moved.from.push_back({pack, {}, {}});
  auto verdict = Verdict{};
  verdict.state = VerdictState::moved;
  auto head = encode_head(verdict);
  Buffer frame(sizeof(Digest));
  auto payload = encode_moved(moved);
  frame.insert(frame.end(), payload.begin(), payload.end());
  auto key_of_it = verdict_key(moved.session);
  ASSERT_TRUE(blobs
                  .put(key_of_it, seal_object(core().keys, *random, SealFor::readers, key_of_it,
                                              {head, frame}))
                  .ok());
  auto before = keys("p/");
  auto report = Collector(core(), {}, {}).run();
  ASSERT_FALSE(report.ok()) << "it is named, and nothing is removed";
  EXPECT_EQ(report.error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(keys("p/"), before);
  EXPECT_EQ(read(kept), files(40, 5));
}

TEST_F(Repacking, OneThatComesLateOnceItsSessionWasAbortedSaysNothing) {
  thin_out();
  repack();
  auto session = moved_sessions().front();
  auto late = blobs.get(verdict_key(session)).value();
  // As if a collector had aborted it, and cleared the mark of that away.
  ASSERT_TRUE(blobs.remove(verdict_key(session)).ok());
  ASSERT_TRUE(change_ledger(core(), [&](Ledger& ledger) -> Result<bool> {
                return ledger.ended.try_emplace(session).second;
              }).ok());
  ASSERT_TRUE(blobs.put(verdict_key(session), late).ok());
  collect();
  for (const auto& pack : keys("p/")) EXPECT_NE(session_of_pack(pack), session);
  EXPECT_EQ(read(kept), files(40, 5));
  expect_clean();
}

TEST_F(Repacking, OfTwoAtOnceOneGivesUpOrBothStand) {
  thin_out();
  RepackOptions options = greedy;
  Repacker one(core(), options, {}, {}), two(core(), options, {}, {});
  ASSERT_TRUE(one.run({}).ok());
  ASSERT_TRUE(two.run({}).ok());
  collect();
  collect();
  EXPECT_EQ(read(kept), files(40, 5));
  EXPECT_EQ(moved_sessions().size(), 1u);
  expect_clean();
}

TEST_F(Repacking, APointWhoseTableIsLostKeepsItsPacks) {
  thin_out();
  auto broken = back_up(files(40, 4), nullptr, "other").id;
  auto verdict = open_verdict(core().keys, broken, blobs.get(verdict_key(broken)).value()).take();
  std::vector<Buffer> frames;
  ASSERT_TRUE(
      open_verdict(core().keys, broken, blobs.get(verdict_key(broken)).value(), &frames).ok());
  auto top = decode_upper(frames[2]).take();
  const auto& upper = top.refs;
  auto pack = verdict.packs[upper[0].extents[0].pack].name;
  auto bytes = blobs.get(pack).value();
  bytes[upper[0].extents[0].frame_offset + 3] ^= 1;
  blobs.tamper(pack, bytes);
  auto report = repack();
  EXPECT_EQ(report.unread, std::vector<std::string>{broken});
  collect();
  for (const auto& each : verdict.packs) {
    if (each.needed) {
      EXPECT_TRUE(blobs.info(each.name).ok()) << each.name;
    }
  }
  EXPECT_EQ(read(kept), files(40, 5));
}

}  // namespace
}  // namespace lb::repo
