// Collection in a bucket whose objects cannot be deleted for a time: what is locked is left for
// later, what points need never loses its lock, and each object is asked once.
#include "storage/blob/locks.h"

#include "foundation/sys/sim_files.h"
#include "storage/blob/fake_s3.h"
#include "storage/blob/s3_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/needed_keys.h"
#include "storage/repo/format.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

constexpr Micros day = std::chrono::hours(24);
constexpr Micros period = 10 * day;

class Locked : public testing::Test {
 protected:
  Locked() {
    EXPECT_TRUE(init_repository(store, clock, *random, key, cheap_keys).ok());
    repository = open_repository(store, clock, *random, key, small_budget).take();
  }
  static S3Settings settings() {
    S3Settings out;
    out.endpoint = "https://s3.example.org";
    out.bucket = "vault";
    out.credentials.access_key = "key-id";
    out.credentials.secret_key = Secret(std::string_view("sesame"));
    out.immutable = period;
    return out;
  }
  const Core& core() { return *repository->core(); }
  std::string back_up(const Content& content) {
    clock.advance(Seconds(1));
    return write_snapshot(*repository, "data", content, clock.now()).take().id;
  }
  void forget_it(const std::string& session) {
    auto done = forget(core(), {session}, clock.now());
    ASSERT_TRUE(done.ok()) << done.error().text();
  }
  // What prune does.
  CollectReport collect() {
    Collector collector(core(), {.locks = &known}, {});
    auto report = collector.run();
    EXPECT_TRUE(report.ok()) << report.error().text();
    needed = needed_keys(store.list("").take(), collector.needed_packs(), collector.ledger());
    return report.ok() ? *report : CollectReport{};
  }
  LockReport keep() {
    auto kept = keep_locked(store, needed, {period, period / 2, clock.now()}, known, {});
    EXPECT_TRUE(kept.ok()) << kept.error().text();
    return kept.ok() ? *kept : LockReport{};
  }
  Timestamp end_of(const std::string& object) {
    return store.retained_until(object).take().value_or(Timestamp{});
  }

  Secret key{std::string_view("correct horse battery staple")};
  SimClock clock{parse_time("2026-01-13T02:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(1);
  FakeS3 service{clock};
  S3BlobStore store{service, clock, *random, settings()};
  std::unique_ptr<Repository> repository;
  LockEnds known;
  std::vector<std::string> needed;
  Content first = {{"a", noise(1, 200'000)}};
  Content other = {{"z", noise(9, 120'000)}};
};

TEST_F(Locked, GarbageIsLeftUntilItsLockEnds) {
  auto kept = back_up(first);
  auto lost = back_up(other);
  forget_it(lost);
  auto report = collect();
  EXPECT_EQ(report.deleted_packs, 0u);
  EXPECT_GT(report.locked_packs, 0u);
  EXPECT_GT(report.locked_bytes, 100'000u);
  EXPECT_LE(*report.locked_until, clock.now() + period);
  EXPECT_GT(*report.locked_until, clock.now() + period - Seconds(60));
  EXPECT_EQ(repository->snapshots()->size(), 1u) << "it is forgotten all the same";
  EXPECT_TRUE(store.list("d/")->empty()) << "what cannot go is not condemned";
  auto again = back_up(other);
  EXPECT_EQ(read_snapshot(*repository, again).value(), other) << "a new point may use it";
  forget_it(again);
  clock.advance(period + Seconds(5));
  report = collect();
  EXPECT_GT(report.deleted_packs, 0u);
  EXPECT_EQ(report.locked_packs, 0u);
  EXPECT_EQ(read_snapshot(*repository, kept).value(), first);
}

TEST_F(Locked, WhatPointsNeedStaysLockedForEverAndIsAskedOnce) {
  auto kept = back_up(first);
  collect();
  EXPECT_EQ(keep().extended, 0u);
  std::uint64_t extended = 0;
  for (int passed = 1; passed <= 100; ++passed) {
    clock.advance(day);
    collect();
    auto heads = service.asked("HEAD");
    auto report = keep();
    extended += report.extended;
    // Extending looks first, so that nothing is ever shortened.
    EXPECT_EQ(service.asked("HEAD") - heads, static_cast<int>(report.extended)) << passed;
    EXPECT_GE(*report.first_end, clock.now() + period / 2) << passed;
    for (const auto& object : needed) {
      EXPECT_GE(end_of(object), clock.now() + period / 2) << object << " on day " << passed;
    }
  }
  EXPECT_LE(extended, needed.size() * (100 / 5)) << "at most twice a period";
  EXPECT_GT(needed.size(), 4u);
  EXPECT_EQ(read_snapshot(*repository, kept).value(), first);
}

TEST_F(Locked, NothingThatIsNotNeededIsKeptLocked) {
  auto lost = back_up(other);
  auto kept = back_up(first);
  forget_it(lost);
  clock.advance(6 * day);
  collect();
  keep();
  for (const auto& object : store.list("").take()) {
    bool is_needed = std::find(needed.begin(), needed.end(), object.key) != needed.end();
    EXPECT_EQ(end_of(object.key) > clock.now() + period / 2, is_needed) << object.key;
  }
  EXPECT_EQ(std::count(needed.begin(), needed.end(), verdict_key(lost)), 0);
  EXPECT_EQ(std::count(needed.begin(), needed.end(), verdict_key(kept)), 1);
}

// Another host extended the lock between the look and the deletion.
TEST_F(Locked, ADecisionThatMeetsALockStaysAndIsCarriedOutLater) {
  auto kept = back_up(first);
  auto lost = back_up(other);
  forget_it(lost);
  for (const auto& pack : store.list("p/").take()) known[pack.key] = {};
  auto report = collect();
  EXPECT_EQ(report.deleted_packs, 0u);
  EXPECT_GT(report.locked_packs, 0u);
  EXPECT_EQ(store.list("d/")->size(), 1u) << "decided, on record";
  report = collect();
  EXPECT_GT(report.locked_packs, 0u) << "and again, without an error";
  auto again = back_up(other);
  EXPECT_EQ(read_snapshot(*repository, again).value(), other) << "stored anew: it counts as absent";
  clock.advance(period + Seconds(5));
  report = collect();
  EXPECT_GT(report.deleted_packs, 0u);
  EXPECT_EQ(report.locked_packs, 0u);
  EXPECT_EQ(read_snapshot(*repository, kept).value(), first);
  EXPECT_EQ(read_snapshot(*repository, again).value(), other);
}

TEST_F(Locked, HoldsComeAndGoThoughOldLedgersCannot) {
  auto kept = back_up(first);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(hold_point(core(), kept, {cat("reason ", i), "ops", clock.now(), {}}).ok());
  }
  EXPECT_TRUE(unhold_point(core(), kept).take());
  EXPECT_GE(store.list("l/")->size(), 6u);
  clock.advance(period + Seconds(5));
  ASSERT_TRUE(hold_point(core(), kept, {"later", "ops", clock.now(), {}}).ok());
  EXPECT_EQ(store.list("l/")->size(), 2u) << "and go when they can";
}

TEST_F(Locked, LogThatIsRemovedGoesWhenItsLockEnds) {
  LogName name{"db-1", 1, 5};
  ASSERT_TRUE(repository->put_log_tail(name, 0, view_of("tail"), {}).ok());
  ASSERT_TRUE(repository->put_log(name, view_of("tail and more"), {}).ok());
  std::vector<std::string> log;
  collect();
  for (const auto& object : needed) {
    if (object.starts_with("w/")) log.push_back(object);
  }
  EXPECT_EQ(log, std::vector<std::string>{log_key("db-1", 1, 5)}) << "not its tail";
  auto removed = remove_logs(core(), {{"db-1", {{0, 6}}}});
  ASSERT_TRUE(removed.ok()) << removed.error().text();
  EXPECT_EQ(removed->objects, 0u);
  EXPECT_EQ(removed->locked, 2u);
  EXPECT_EQ(repository->logs("db-1")->size(), 1u) << "there as long as it cannot go";
  collect();
  EXPECT_EQ(std::count(needed.begin(), needed.end(), log_key("db-1", 1, 5)), 0);
  clock.advance(period + Seconds(5));
  EXPECT_EQ(remove_logs(core(), {})->objects, 2u);
}

TEST_F(Locked, AnInterruptedExtensionGoesOn) {
  back_up(first);
  clock.advance(6 * day);
  collect();
  service.set_trouble({.method = "PUT", .from = 3, .count = 100'000, .unreached = true});
  auto broken = keep_locked(store, needed, {period, period / 2, clock.now()}, known, {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().exit_code(), ExitCode::store_unreachable);
  service.set_trouble({});
  EXPECT_EQ(keep().extended, needed.size() - 3);
  EXPECT_EQ(keep().extended, 0u);
}

TEST_F(Locked, ARefusalWithoutALockIsAnError) {
  ASSERT_TRUE(store.put("t/1", view_of("x")).ok());
  auto locked = remove_or_leave(store, "t/1");
  ASSERT_TRUE(locked.ok());
  EXPECT_TRUE(locked->has_value());
  clock.advance(period + Seconds(5));
  service.refuse(403, "AccessDenied");
  EXPECT_EQ(remove_or_leave(store, "t/1").error().kind(), ErrorKind::denied);
  service.refuse(0, "");
  EXPECT_FALSE(remove_or_leave(store, "t/1").take().has_value());
  EXPECT_FALSE(remove_or_leave(store, "t/1").take().has_value()) << "missing is ok";
}

TEST(LockEnds, AreRememberedInAFileThatMayBeLostOrDamaged) {
  SimFiles files;
  auto now = parse_time("2026-01-13T02:00:00Z").take();
  LockEnds known{{"p/1", now + day}, {"p/2", now - day}, {"p/3", now + 2 * day}};
  ASSERT_TRUE(save_lock_ends(files, "/cache/locks", "s3://vault", known, now).ok());
  known.erase("p/2");
  EXPECT_EQ(load_lock_ends(files, "/cache/locks", "s3://vault"), known) << "but for what ended";
  EXPECT_TRUE(load_lock_ends(files, "/cache/locks", "s3://other").empty());
  EXPECT_TRUE(load_lock_ends(files, "/cache/none", "s3://vault").empty());
  auto bytes = read_file(files, "/cache/locks", 1 << 20).take();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bad = bytes;
    bad[i] ^= 0x10;
    ASSERT_TRUE(write_durably(files, "/cache/bad", bad).ok());
    EXPECT_TRUE(load_lock_ends(files, "/cache/bad", "s3://vault").empty()) << i;
    bad.resize(i);
    ASSERT_TRUE(write_durably(files, "/cache/bad", bad).ok());
    EXPECT_TRUE(load_lock_ends(files, "/cache/bad", "s3://vault").empty()) << i;
  }
}

TEST(LocksDue, AreThoseThatEndWithinTheMargin) {
  auto now = parse_time("2026-01-13T02:00:00Z").take();
  LockWishes wishes{10 * day, 5 * day, now};
  LockEnds known{{"long", now + 6 * day}, {"edge", now + 5 * day}, {"soon", now + 4 * day},
                 {"over", now - day},     {"never", {}},           {"other", {}}};
  std::vector<std::string> keys{"edge", "gone", "long", "never", "over", "soon"};
  EXPECT_EQ(locks_due(keys, known, wishes), (std::vector<std::string>{"never", "over", "soon"}));
}

TEST(NeededKeys, AreThoseOfWhatIsKept) {
  std::string one(26, '1'), two(26, '2'), three(26, '3');
  Ledger ledger;
  ledger.ended[two] = {};
  ledger.removed["db-1"] = {{0, 5}};
  std::vector<std::string> wanted = {verdict_key(one),
                                     "k/slot",
                                     "l/00000002",
                                     pack_key(one, 0),
                                     record_key("drill", "r"),
                                     repo_key,
                                     log_key("db-1", 1, 5),
                                     log_tail_key("db-1", 1, 6, 0),
                                     history_key("db-1", 1),
                                     index_key(one, 0),
                                     merged_index_key(three)};
  std::vector<std::string> others = {verdict_key(two),
                                     "d/00000000",
                                     "g/00000000",
                                     intent_key(one),
                                     "l/00000001",
                                     pack_key(one, 1),
                                     pack_key(two, 0),
                                     "probe/x",
                                     index_key(two, 0),
                                     log_key("db-1", 1, 4),
                                     log_tail_key("db-1", 1, 5, 0),
                                     "q/" + one};
  std::vector<BlobInfo> listing;
  for (const auto* list : {&wanted, &others}) {
    for (const auto& key : *list) listing.push_back({key});
  }
  std::sort(listing.begin(), listing.end(), [](auto& a, auto& b) { return a.key < b.key; });
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(needed_keys(listing, {pack_key(one, 0)}, ledger), wanted);
}

}  // namespace
}  // namespace lb::repo
