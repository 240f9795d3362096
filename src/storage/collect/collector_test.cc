#include "storage/collect/collector.h"

#include <gtest/gtest.h>

#include "storage/collect/forget.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/test_repository.h"
#include "storage/repo/verdict.h"

namespace lb::repo {
namespace {

class Collecting : public MemoryRepository {
 protected:
  const Core& core() { return *repository->core(); }
  CollectReport collect(const CollectOptions& options = {}) {
    auto report = Collector(core(), options, {}).run();
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : CollectReport{};
  }
  void forget_all(const std::vector<std::string>& sessions) {
    auto done = forget(core(), sessions, clock.now());
    EXPECT_TRUE(done.ok()) << done.error().text();
  }
  static SnapshotMeta meta() {
    SnapshotMeta out;
    out.store = "data";
    out.kind = "files";
    return out;
  }
  void expect_clean() {
    auto report = verify();
    EXPECT_TRUE(report.clean()) << describe(report);
  }

  Content first = {{"a", noise(1, 200'000)}, {"b", noise(2, 100'000)}};
  Content second = {{"a", noise(1, 200'000)}, {"c", noise(3, 150'000)}};
  Content other = {{"z", noise(9, 120'000)}};
};

TEST_F(Collecting, AnUntouchedRepositoryStaysAsItIs) {
  auto id = back_up(first).id;
  auto before = keys("p/");
  auto report = collect();
  EXPECT_EQ(report.deleted_packs, 0u);
  EXPECT_EQ(keys("p/"), before);
  EXPECT_TRUE(keys("g/").empty());
  EXPECT_EQ(read(id), first);
}

TEST_F(Collecting, FreesWhatOnlyForgottenPointsNeeded) {
  auto kept = back_up(first).id;
  auto lost = back_up(other).id;
  forget_all({lost});
  EXPECT_EQ(repository->snapshots().value().size(), 1u);
  EXPECT_EQ(repository->snapshot(lost).error().kind(), ErrorKind::not_found);
  auto report = collect();
  EXPECT_GT(report.deleted_packs, 0u);
  EXPECT_GT(report.deleted_bytes, 100'000u);
  for (const auto& pack : keys("p/")) EXPECT_NE(session_of_pack(pack), lost);
  EXPECT_EQ(read(kept), first);
  expect_clean();
  EXPECT_EQ(collect().deleted_packs, 0u) << "nothing is left for a second run";
}

TEST_F(Collecting, KeepsPacksThatAnotherPointShares) {
  auto lost = back_up(first).id;
  auto kept = back_up(second).id;  // relies on a chunk of the first one's pack
  forget_all({lost});
  collect();
  EXPECT_EQ(read(kept), second);
  expect_clean();
}

TEST_F(Collecting, ClearsAwayWhatIsOnlyOfUseForAWhile) {
  back_up(first);
  auto lost = back_up(other).id;
  forget_all({lost});
  collect();
  EXPECT_TRUE(keys("i/").empty());
  EXPECT_TRUE(keys("g/").empty());
  EXPECT_TRUE(keys("d/").empty());
  EXPECT_EQ(keys("x/").size(), 1u);
  EXPECT_LE(keys("l/").size(), 2u);
}

TEST_F(Collecting, WaitsForARunningSessionAndGoesOnLater) {
  auto kept = back_up(first).id;  // also holds what all snapshots of these tests share
  auto lost = back_up(other).id;
  auto running = repository->begin("data", nullptr, {}).take();
  ASSERT_TRUE(write_row(*running, "z", other.at("z")).ok());
  forget_all({lost});
  auto report = collect();
  EXPECT_EQ(report.awaited, std::vector<std::string>{running->id()});
  EXPECT_GT(report.condemned_packs, 0u);
  EXPECT_EQ(report.deleted_packs, 0u);
  auto committed = running->commit(meta());
  ASSERT_TRUE(committed.ok()) << committed.error().text();
  report = collect();
  EXPECT_GT(report.rescued_packs, 0u);
  EXPECT_EQ(read(committed->id), other) << "it deduplicated against what was condemned later";
  EXPECT_EQ(read(kept), first);
  expect_clean();
}

TEST_F(Collecting, ASessionThatBeginsLaterIsNotWaitedFor) {
  auto lost = back_up(other).id;
  auto running = repository->begin("data", nullptr, {}).take();
  forget_all({lost});
  ASSERT_EQ(collect().awaited.size(), 1u);
  auto later = repository->begin("data", nullptr, {}).take();
  ASSERT_TRUE(write_row(*later, "z", other.at("z")).ok());
  ASSERT_TRUE(running->commit(meta()).ok());
  EXPECT_GT(collect().deleted_packs, 0u);
  auto committed = later->commit(meta());
  ASSERT_TRUE(committed.ok());
  EXPECT_EQ(read(committed->id), other) << "what was condemned is stored again";
  expect_clean();
}

TEST_F(Collecting, AbortsASessionThatDoesNotEnd) {
  auto lost = back_up(other).id;
  auto stuck = repository->begin("data", nullptr, {}).take();
  ASSERT_TRUE(write_row(*stuck, "z", other.at("z")).ok());
  forget_all({lost});
  EXPECT_TRUE(collect().aborted.empty());
  clock.advance(std::chrono::hours(25));
  auto report = collect();
  EXPECT_EQ(report.aborted, std::vector<std::string>{stuck->id()});
  EXPECT_GT(collect().deleted_packs + report.deleted_packs, 0u);
  auto committed = stuck->commit(meta());
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().kind(), ErrorKind::conflict);
  EXPECT_TRUE(repository->snapshots().value().empty());
  auto again = back_up(other);
  EXPECT_EQ(read(again.id), other);
  expect_clean();
}

TEST_F(Collecting, ReusesWhatAnInterruptedSessionStoredUntilItIsAborted) {
  auto lost = back_up(first).id;
  auto writer = repository->begin("data", nullptr, {}).take();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(
        write_row(*writer, cat("f", i), noise(static_cast<std::uint64_t>(100 + i), 1'000'000))
            .ok());
  }
  writer.reset();  // killed
  auto there = keys("p/").size();
  forget_all({lost});
  auto report = collect();
  EXPECT_EQ(report.awaited.size(), 1u);
  EXPECT_EQ(keys("p/").size(), there);
}

TEST_F(Collecting, FreesWhatADeadSessionLeftThoughThereIsNoOtherGarbage) {
  auto kept = back_up(first).id;
  auto writer = repository->begin("data", nullptr, {}).take();
  for (int i = 0; i < 20; ++i) {
    auto bytes = noise(static_cast<std::uint64_t>(100 + i), 500'000);
    ASSERT_TRUE(write_row(*writer, cat("f", i), bytes).ok());
  }
  auto dead = writer->id();
  writer.reset();
  EXPECT_EQ(collect().awaited.size(), 0u) << "it is young";
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(collect().awaited, std::vector<std::string>{dead}) << "does it still store?";
  clock.advance(std::chrono::hours(1));
  auto report = collect();
  EXPECT_EQ(report.aborted, std::vector<std::string>{dead});
  EXPECT_GT(report.deleted_packs, 0u);
  EXPECT_TRUE(keys("i/").empty());
  EXPECT_EQ(read(kept), first);
  expect_clean();
}

TEST_F(Collecting, ADamagedVerdictStopsEverything) {
  auto lost = back_up(other).id;
  auto damaged = back_up(first).id;
  forget_all({lost});
  auto bytes = blobs.get(verdict_key(damaged)).value();
  bytes[bytes.size() / 2] ^= 1;
  blobs.tamper(verdict_key(damaged), bytes);
  auto before = keys("p/");
  auto report = Collector(core(), {}, {}).run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().exit_code(), ExitCode::damaged);
  EXPECT_EQ(keys("p/"), before);
}

TEST_F(Collecting, AHostThatMayOnlyWriteCannotMakeAnythingGoAway) {
  auto kept = back_up(first).id;
  Keyring stolen{core().keys.version,
                 core().keys.repository_id,
                 core().keys.public_key,
                 {},
                 Secret(core().keys.id_key.bytes()),
                 Secret(core().keys.cut_key.bytes()),
                 Secret(core().keys.write_key.bytes()),
                 {}};
  Core writer(blobs, clock, *random, std::move(stolen), small_budget);
  EXPECT_EQ(put_care(writer, condemned_key(0), encode_packs(keys("p/"))).error().kind(),
            ErrorKind::denied);
  // With the sealing key of writers it makes the best forgeries it can.
  auto forge = [&](const std::string& name, const Buffer& payload) {
    Buffer frame;
    ByteWriter out(frame);
    out.u8(1);
    out.raw(Digest{});
    out.raw(payload);
    auto object = seal_object(writer.keys, *random, SealFor::writers, name, {frame});
    ASSERT_TRUE(blobs.put(name, object).ok());
  };
  forge(condemned_key(0), encode_packs(keys("p/")));
  forge(decision_key(0), encode_packs(keys("p/")));
  auto report = Collector(core(), {}, {}).run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::corrupt) << report.error().text();
  Ledger ledger;
  ledger.ended[kept] = {};
  forge(ledger_key(7), encode_ledger(ledger));
  EXPECT_EQ(repository->snapshots().value().size(), 1u);
  EXPECT_EQ(read(kept), first);
  EXPECT_FALSE(forget(core(), {kept}, clock.now()).ok());
}

TEST_F(Collecting, AVerdictThatComesLateOnceMoreSaysNothing) {
  auto lost = back_up(other).id;
  back_up(first);
  auto verdict = blobs.get(verdict_key(lost)).value();
  forget_all({lost});
  collect();
  ASSERT_TRUE(blobs.put(verdict_key(lost), verdict).ok());  // its writer never had an answer
  EXPECT_EQ(open(blobs)->snapshots().value().size(), 1u);
  expect_clean();
  collect();
  EXPECT_EQ(keys("e/").size(), 1u);
}

TEST_F(Collecting, ADecisionPutAfterItsGenerationWasClosedSaysNothing) {
  auto kept = back_up(first).id;
  auto lost = back_up(other).id;
  forget_all({lost});
  collect();
  ASSERT_TRUE(put_care(core(), condemned_key(0), encode_packs(keys("p/"))).ok());
  ASSERT_TRUE(put_care(core(), decision_key(0), encode_packs(keys("p/"))).ok());
  EXPECT_TRUE(condemned_packs(core()).value().packs.empty());
  collect();
  EXPECT_EQ(read(kept), first);
  EXPECT_TRUE(keys("d/").empty());
}

TEST_F(Collecting, AHeldPointIsNotForgotten) {
  auto held = back_up(other).id;
  back_up(first);
  Hold hold{"audit", "ann@host", clock.now(), clock.now() + Micros(std::chrono::hours(1))};
  ASSERT_TRUE(hold_point(core(), held, hold).ok());
  EXPECT_EQ(forget(core(), {held}, clock.now()).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(repository->snapshots().value().size(), 2u);
  EXPECT_TRUE(forget(core(), {held}, clock.now() + Micros(std::chrono::hours(2))).ok());
  EXPECT_EQ(hold_point(core(), held, hold).error().exit_code(), ExitCode::point_unreachable);
}

TEST_F(Collecting, TheChainKeepsItsForgottenLinks) {
  auto one = back_up(first).id, two = back_up(second).id;
  back_up(other);
  forget_all({two});
  collect();
  expect_clean();
  ASSERT_TRUE(blobs.remove(verdict_key(one)).ok());
  EXPECT_TRUE(verify().clean()) << "the one that named it is gone as well";
}

TEST_F(Collecting, RemovesLogOnRecordAndKeepsHistories) {
  for (std::uint64_t segment = 4; segment < 9; ++segment) {
    ASSERT_TRUE(repository->put_log({"db-1", 1, segment}, view_of("bytes"), view_of("s")).ok());
  }
  ASSERT_TRUE(repository->put_history("db-1", 2, view_of("history")).ok());
  auto removed = remove_logs(core(), {{"db-1", {{4, 6}, {6, 7}}}}).value();
  EXPECT_EQ(removed.objects, 3u);
  EXPECT_EQ(repository->logs("db-1").value().size(), 2u);
  EXPECT_TRUE(repository->get_history("db-1", 2).value().has_value());
  expect_clean();
  EXPECT_EQ(remove_logs(core(), {}).value().objects, 0u);
  ASSERT_TRUE(blobs.remove(log_key("db-1", 1, 7)).ok());
  EXPECT_FALSE(verify().clean()) << "what nobody decided to remove is lost";
}

TEST(CollectingRules, WhenASessionIsAborted) {
  constexpr Micros grace = std::chrono::hours(24);
  constexpr Micros hour = std::chrono::hours(1);
  EXPECT_FALSE(may_abort(grace, hour, false, grace));
  EXPECT_TRUE(may_abort(grace + Micros(1), hour, false, grace));
  EXPECT_FALSE(may_abort(2 * grace, hour - Micros(1), false, grace)) << "it may just be slow";
  EXPECT_FALSE(may_abort(2 * grace, hour, true, grace)) << "it still stores";
  EXPECT_TRUE(may_abort(8 * grace, Micros(0), true, grace));
  EXPECT_FALSE(may_abort(-grace, hour, false, grace)) << "the clock went back";
}

TEST(CollectingRules, ASessionNameTellsItsTime) {
  SimClock clock{parse_time("2026-01-13T02:00:00.250Z").take()};
  MemoryBlobStore blobs;
  auto random = seeded_random(3);
  Secret key{std::string_view("key")};
  ASSERT_TRUE(init_repository(blobs, clock, *random, key, cheap_keys).ok());
  auto repository = open_repository(blobs, clock, *random, key).take();
  EXPECT_EQ(session_time(repository->fresh_id()), clock.now());
}

TEST(CollectingRules, LedgersReadBackAsTheyWere) {
  Ledger ledger;
  ledger.closed = 7;
  ledger.ended["0123456789abcdefghijklmnop"] = {1, 2, 3};
  ledger.holds["p"] = {"why", "who", from_micros(5), from_micros(9)};
  ledger.holds["q"] = {"", "", from_micros(5), std::nullopt};
  ledger.removed["db"] = {{1, 4}, {6, 9}};
  auto bytes = encode_ledger(ledger);
  auto again = decode_ledger(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(encode_ledger(*again), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_ledger(ByteView(bytes).first(size)).ok()) << size;
  }
}

// What the sessions that ran is encoded as; odd bytes are refused or mean something.
TEST(CollectingRules, OddBytesOfWhoRanAreRefusedOrReadTheSameAgain) {
  Awaited awaited{from_micros(5), {{"0123456789abcdefghijklmnop", 3}, {"q", 0}}};
  auto whole = encode_awaited(awaited);
  EXPECT_EQ(decode_awaited(whole)->packs, awaited.packs);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_awaited(ByteView(whole).first(size)).ok()) << size;
  }
  auto random = seeded_random(4);
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (std::uint64_t i = 0; i < 1 + random->below(3); ++i) {
      bytes[random->below(bytes.size())] ^= static_cast<std::uint8_t>(1 << random->below(8));
    }
    auto first = decode_awaited(bytes);
    if (!first.ok()) continue;
    auto second = decode_awaited(encode_awaited(*first));
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->packs, first->packs);
    EXPECT_EQ(second->listed, first->listed);
  }
}

}  // namespace
}  // namespace lb::repo
