// The program on buckets whose objects nobody can delete for a time, at a service that honours both
// locks and conditions: what is locked, for how long, and who says so before it ends.
#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "tests/harness/moto_server.h"
#include "tests/harness/s3_boat.h"

namespace lb::test {
namespace {

TEST(S3MotoCli, LocksWhatThePlanCallsImmutable) {
  if (const auto reason = MotoServer::missing()) GTEST_SKIP() << *reason;
  auto& moto = MotoServer::shared();
  auto settings = bucket_settings(moto.endpoint(), "test", "test", "vault");
  make_bucket(bucket_settings(moto.endpoint(), "test", "test", "vault"), {.object_lock = true});
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["ONE"] = boat.environment()["TWO"] = "test";
  write_text(boat / "data/x", "x");
  write_text(boat / "lifeboat.yaml", immutable_plan("vault", moto.endpoint()));
  boat.must({"init"});
  boat.must({"backup"});
  auto doctor = boat.run({"doctor"});
  EXPECT_NE(doctor.out.find("a locked object could not be deleted"), std::string::npos)
      << doctor.out << doctor.err;
  auto http = real_http();
  auto clock = real_clock();
  auto random = real_random();
  S3BlobStore store(*http, *clock, *random, std::move(settings));
  auto all = store.list("").take();
  ASSERT_FALSE(all.empty());
  for (const auto& object : all) {
    auto until = store.retained_until(object.key).take();
    ASSERT_TRUE(until.has_value()) << object.key;
    EXPECT_GT(*until, clock->now() + Seconds(3000)) << object.key;
  }
  boat.must({"verify", "--read", "100%"});
}

TEST(S3MotoCli, PruneLeavesWhatIsLockedAndKeepsWhatIsNeededLocked) {
  if (const auto reason = MotoServer::missing()) GTEST_SKIP() << *reason;
  auto& moto = MotoServer::shared();
  auto settings = bucket_settings(moto.endpoint(), "test", "test", "locks");
  make_bucket(bucket_settings(moto.endpoint(), "test", "test", "locks"), {.object_lock = true});
  settings.immutable = Seconds(20);
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["ONE"] = boat.environment()["TWO"] = "test";
  write_text(boat / "lifeboat.yaml", immutable_plan("locks", moto.endpoint(), "20s"));
  boat.must({"init"});
  // The first one also holds what all points share.
  for (unsigned state : {1u, 2u, 3u}) {
    write_text(boat / "data/x", random_text(300'000, state));
    boat.must({"backup"});
  }
  auto http = real_http();
  auto clock = real_clock();
  auto random = real_random();
  S3BlobStore store(*http, *clock, *random, std::move(settings));
  auto verdict = store.list("e/").take().back().key;
  auto at_first = store.retained_until(verdict).take().value();

  auto first = boat.must({"prune", "--confirm", "test", "--json"}).summary();
  EXPECT_EQ(first["points_forgotten"].integer(), 2);
  EXPECT_EQ(first["packs_deleted"].integer(), 0);
  EXPECT_GE(first["locks"]["packs_waiting"].integer(), 1);
  auto told = boat.must({"prune"});
  EXPECT_NE(told.out.find("packs that no point needs are locked, the first until"),
            std::string::npos)
      << told.out;
  EXPECT_NE(told.out.find("objects stay locked until"), std::string::npos) << told.out;

  ASSERT_TRUE(eventually([&] { return clock->now() > at_first - Seconds(8); }));
  auto second = boat.must({"prune", "--json"}).summary();
  EXPECT_GE(second["locks"]["extended"].integer(), 1);
  EXPECT_GT(store.retained_until(verdict).take().value(), at_first + Seconds(5));
  ASSERT_TRUE(eventually([&] { return clock->now() > at_first + Seconds(2); }));
  EXPECT_EQ(store.remove(verdict).ok(), false) << "past its first lock, and still locked";
  auto third = boat.must({"prune", "--repack-budget", "0", "--json"}).summary();
  EXPECT_GE(third["packs_deleted"].integer(), 1);
  EXPECT_EQ(third["locks"]["packs_waiting"].integer(), 0);
  auto before = tree_of(boat / "data");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);
  boat.must({"verify", "--read", "100%"});
}

// A repository and a copy whose objects are locked for a short time.
std::string watched_plan(const std::string& endpoint) {
  auto s3 =
      "s3: {endpoint: \"" + endpoint + "\", style: path, access_key: env:ONE, secret_key: env:TWO}";
  return "version: 1\nsystem: test\nrepository:\n  at: \"s3://watched\"\n  immutable: 24s\n  " +
         s3 + "\n  copies: [{at: \"s3://watched-copy\", within: 1h, immutable: 24s, " + s3 +
         "}]\n  key: env:LIFEBOAT_KEY\nstores:\n  data: {files: ./data}\n"
         "channels: {paper: {command: \"cat >> told.txt\"}}\npeople: {ada: {via: paper}}\n"
         "alerts: {critical: {on: [lock ending], send: ada}}\n";
}

// How often people were told of something by the channel of that plan.
std::size_t told(const Lifeboat& boat, const std::string& what) {
  const auto text = read_text(boat / "told.txt");
  std::size_t out = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

// Nobody prunes and nobody syncs: the locks run out, and that is said before they do.
TEST(S3MotoCli, SaysWhenLocksRunOutAndKeepsThoseOfACopy) {
  if (const auto reason = MotoServer::missing()) GTEST_SKIP() << *reason;
  constexpr Seconds period(24);
  auto& moto = MotoServer::shared();
  auto bucket = [&](const std::string& name) {
    auto out = bucket_settings(moto.endpoint(), "test", "test", name);
    out.immutable = period;
    return out;
  };
  for (const char* name : {"watched", "watched-copy"})
    make_bucket(bucket_settings(moto.endpoint(), "test", "test", name), {.object_lock = true});
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["ONE"] = boat.environment()["TWO"] = "test";
  write_text(boat / "lifeboat.yaml", watched_plan(moto.endpoint()));
  write_text(boat / "data/x", random_text(300'000, 1));
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  auto http = real_http();
  auto clock = real_clock();
  auto random = real_random();
  S3BlobStore store(*http, *clock, *random, bucket("watched"));
  S3BlobStore copy(*http, *clock, *random, bucket("watched-copy"));
  auto verdict = store.list("e/").take().back().key;
  auto first = store.retained_until("repo").take().value();
  auto in_copy = copy.retained_until(verdict).take().value();
  auto before = boat.run({"status"});
  EXPECT_EQ(before.exit_code, 0) << before.out;
  EXPECT_NE(before.out.find("locks of copy s3://watched-copy"), std::string::npos) << before.out;

  ASSERT_TRUE(eventually(
      [&] { return clock->now() > std::max(first, in_copy) - period / 4 + Seconds(1); }));
  auto alarmed = boat.run({"status"});
  EXPECT_EQ(alarmed.exit_code, 4) << alarmed.out;
  EXPECT_NE(alarmed.out.find("lifeboat prune extends them"), std::string::npos) << alarmed.out;
  EXPECT_NE(alarmed.out.find("lifeboat copy sync extends them"), std::string::npos) << alarmed.out;
  EXPECT_EQ(told(boat, "Subject: test: lock ending: locks\n"), 1U);
  EXPECT_EQ(told(boat, "Subject: test: lock ending: locks of copy s3://watched-copy\n"), 1U);
  EXPECT_EQ(boat.run({"status"}).exit_code, 4);
  EXPECT_EQ(told(boat, "lock ending"), 2U) << "people know";
  auto doctor = boat.run({"doctor"});
  EXPECT_NE(doctor.exit_code, 0);
  EXPECT_NE(doctor.out.find("lifeboat prune extends them"), std::string::npos) << doctor.out;

  boat.must({"prune"});
  auto synced = boat.must({"copy", "sync", "--json"}).lines()[0];
  EXPECT_GE(synced["locks"]["extended"].integer(), 3) << synced.dump();
  EXPECT_GT(copy.retained_until(verdict).take().value(), in_copy + Seconds(5));
  for (const auto& object : copy.list("").take()) {
    if (!store.info(object.key).ok()) continue;
    auto until = copy.retained_until(object.key).take();
    ASSERT_TRUE(until.has_value()) << object.key;
    EXPECT_GT(*until, clock->now() + period / 4) << object.key;
  }
  auto after = boat.run({"status"});
  EXPECT_EQ(after.exit_code, 0) << after.out;
  EXPECT_EQ(told(boat, "Subject: test: over: lock ending: "), 2U);
  ASSERT_TRUE(eventually([&] { return clock->now() > in_copy + Seconds(1); }));
  EXPECT_FALSE(copy.remove(verdict).ok()) << "past its first lock, and still locked";
}

// A runbook's restore out of a bucket when the first bucket does not answer, and is away for good.
TEST(S3MotoCli, ARunbookRestoresOutOfACopyInABucket) {
  if (const auto reason = MotoServer::missing()) GTEST_SKIP() << *reason;
  auto& moto = MotoServer::shared();
  for (const char* name : {"first", "second"})
    make_bucket(bucket_settings(moto.endpoint(), "test", "test", name), {});
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["ONE"] = boat.environment()["TWO"] = "test";
  boat.environment()["FIRST"] = boat.environment()["SECOND"] = moto.endpoint();
  auto access = [](const char* endpoint) {
    return cat("s3: {endpoint: env:", endpoint,
               ", style: path, access_key: env:ONE, secret_key: env:TWO}");
  };
  write_text(boat / "lifeboat.yaml",
             cat("version: 1\nsystem: test\nrepository:\n  at: s3://first\n  key: "
                 "env:LIFEBOAT_KEY\n  ",
                 access("FIRST"), "\n  copies: [{at: s3://second, ", access("SECOND"),
                 "}]\nstores:\n  data: {files: ./data, every: hourly}\n"
                 "targets: {production: {protect: true}}\nrunbooks:\n  outage:\n    steps:\n"
                 "      - restore: {store: data, to: production, from: s3://second}\n"));
  write_text(boat / "data/x", "x");
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"copy", "sync"});
  write_text(boat / "data/x", "damaged");
  boat.environment()["FIRST"] = "http://127.0.0.1:1";
  auto asked = boat.run({"run", "outage", "--no-wait"});
  EXPECT_EQ(asked.exit_code, 75) << asked.err;
  EXPECT_NE(asked.err.find("a copy: s3://second"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("what it lacks is not known"), std::string::npos) << asked.err;
  boat.must({"step", "confirm", "production"});
  auto done = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(read_text(boat / "data/x"), "x");
}

}  // namespace
}  // namespace lb::test
