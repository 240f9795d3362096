// The program on a repository in a bucket of a real object store: the whole story on a good day,
// and what it does when it is killed or the store goes away.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "foundation/base/text.h"
#include "storage/blob/s3_blob_store.h"
#include "tests/harness/ceph_server.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/moto_server.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/s3_bucket.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

template <typename Condition>
void wait_for(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

// Bytes that neither compress nor repeat.
std::string noise(std::size_t size, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::string out(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    auto word = engine();
    std::copy_n(reinterpret_cast<const char*>(&word), 8, out.begin() + static_cast<long>(i));
  }
  return out;
}

class S3Cli : public testing::Test {
 protected:
  S3Cli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = CephServer::missing()) GTEST_SKIP() << *reason;
    auto& ceph = CephServer::shared();
    static int count = 0;
    bucket = "cli-" + std::to_string(++count);
    make_bucket(settings());
    boat.environment()["AWS_ACCESS_KEY_ID"] = ceph.access_key();
    boat.environment()["AWS_SECRET_ACCESS_KEY"] = ceph.secret_key();
    boat.environment()["AWS_ENDPOINT_URL"] = ceph.endpoint();
  }
  S3Settings settings() const {
    auto& ceph = CephServer::shared();
    auto out = bucket_settings(ceph.endpoint(), ceph.access_key(), ceph.secret_key(), bucket);
    out.prefix = "systems/test";
    return out;
  }
  void write_plan(const std::string& stores_and_more) {
    boat.write_plan(stores_and_more, "s3://" + bucket + "/systems/test");
  }
  void files_plan() {
    write_plan("stores:\n  data: {files: ./data, every: hourly, objective: {rpo: 2h}}\n");
  }
  std::size_t objects(const std::string& prefix) {
    S3BlobStore store(*http, *clock, *random, settings());
    return store.list(prefix).take().size();
  }

  Lifeboat boat;
  std::string bucket;
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
};

TEST_F(S3Cli, TellsTheWholeStory) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  server->sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 1000) n");
  for (unsigned i = 0; i < 30; ++i) {
    write_text(boat / ("media/" + std::to_string(i % 4) + "/" + std::to_string(i)),
               noise(i * 9000, i));
  }
  boat.environment()["DB"] = server->conninfo();
  write_plan(
      "stores:\n"
      "  db: {postgres: env:DB, log: continuous, every: hourly, objective: {rpo: 1h}}\n"
      "  media: {files: ./media, every: hourly, objective: {rpo: 2h}}\n"
      "groups:\n  app: {stores: [db, media], authority: db}\n"
      "targets:\n  sandbox: {isolate: network, folder: ./sandboxes}\n"
      "checks:\n  data:\n    - tables: [people]\n    - count: [people]\n      expect: recorded\n"
      "    - files: {count: recorded, hashes: recorded}\n"
      "drills:\n  full: {every: quarterly, restore: app, into: sandbox, checks: [data], "
      "objective: {rto: 1h}}\n");
  auto made = boat.must({"init"});
  EXPECT_NE(made.out.find("s3://" + bucket + "/systems/test"), std::string::npos) << made.out;
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  wait_for([&] { return stream->err_so_far().find("durable to") != std::string::npos; });
  auto durable = [&] { return stream->err_so_far().size(); };
  server->sql("INSERT INTO people SELECT n, 'late' FROM generate_series(1001, 1200) n");
  auto seen = durable();
  wait_for([&] { return objects("w/") > 0 && durable() > seen; });
  stream->signal(SIGTERM);
  stream->wait();

  auto doctor = boat.run({"doctor"});
  EXPECT_NE(doctor.out.find("nothing is overwritten"), std::string::npos) << doctor.out;
  EXPECT_NE(doctor.out.find("of the store's"), std::string::npos) << doctor.out;
  EXPECT_EQ(objects("probe/"), 0u);
  boat.must({"verify", "--read", "100%"});
  auto before = tree_of(boat / "media");
  boat.must({"restore", "media", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);
  auto drilled = boat.run({"drill", "full", "--json"});
  EXPECT_EQ(drilled.exit_code, 0) << drilled.out << drilled.err;
  EXPECT_EQ(drilled.summary()["verdict"].string(), "PASS");
  EXPECT_FALSE(fs::exists(boat.repository())) << "nothing of the repository is on this disk";
}

TEST_F(S3Cli, GoesOnAfterKills) {
  files_plan();
  for (unsigned i = 0; i < 40; ++i) {
    write_text(boat / ("data/" + std::to_string(i)), noise(4 << 20, i));
  }
  boat.must({"init"});
  int killed = 0;
  for (int round = 0; round < 4; ++round) {
    auto running = boat.start({"backup"});
    auto packs = objects("p/");
    // Killed at the first new pack, then at later ones.
    wait_for([&] {
      return !running->alive() || objects("p/") > packs + static_cast<std::size_t>(round) / 2;
    });
    killed += running->alive() ? 1 : 0;
    running->signal(SIGKILL);
    running->wait();
  }
  EXPECT_GT(killed, 0);
  boat.must({"backup"});
  boat.must({"verify", "--read", "100%"});
  auto before = tree_of(boat / "data");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);
}

TEST_F(S3Cli, SaysWhenTheStoreGoesAwayAndGoesOnWhenItIsBack) {
  auto& ceph = CephServer::shared();
  files_plan();
  for (unsigned i = 0; i < 60; ++i) {
    write_text(boat / ("data/" + std::to_string(i)), noise(4 << 20, i));
  }
  boat.must({"init"});
  auto running = boat.start({"backup"});
  wait_for([&] { return !running->alive() || objects("p/") > 0; });
  ASSERT_TRUE(running->alive());
  ceph.stop_gateway();
  auto start = std::chrono::steady_clock::now();
  auto ended = running->wait();
  auto took = std::chrono::steady_clock::now() - start;
  ceph.start_gateway();
  EXPECT_EQ(ended.exit_code, 20) << ended.err;
  EXPECT_NE(ended.err.find("does not answer"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.err.find(ceph.secret_key()), std::string::npos);
  EXPECT_LT(took, std::chrono::seconds(150));
  boat.must({"backup"});
  boat.must({"verify", "--read", "100%"});
  auto before = tree_of(boat / "data");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);
}

TEST_F(S3Cli, WaitsForAGatewayThatIsRestarted) {
  auto& ceph = CephServer::shared();
  files_plan();
  for (unsigned i = 0; i < 40; ++i) {
    write_text(boat / ("data/" + std::to_string(i)), noise(4 << 20, i));
  }
  boat.must({"init"});
  auto running = boat.start({"backup"});
  wait_for([&] { return !running->alive() || objects("p/") > 0; });
  ceph.stop_gateway();
  ceph.start_gateway();
  auto ended = running->wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  boat.must({"verify", "--read", "100%"});
}

TEST_F(S3Cli, ExplainsWhatIsMissing) {
  files_plan();
  write_text(boat / "data/x", "x");
  auto& environment = boat.environment();
  auto good = environment;
  environment.erase("AWS_ACCESS_KEY_ID");
  auto nobody = boat.run({"init"});
  EXPECT_EQ(nobody.exit_code, 2) << nobody.err;
  EXPECT_NE(nobody.err.find("AWS_ACCESS_KEY_ID"), std::string::npos) << nobody.err;

  environment = good;
  environment["AWS_SECRET_ACCESS_KEY"] = "wrong-secret";
  auto wrong = boat.run({"init"});
  EXPECT_EQ(wrong.exit_code, 20) << wrong.err;
  EXPECT_NE(wrong.err.find("secret key"), std::string::npos) << wrong.err;
  EXPECT_EQ(wrong.err.find("wrong-secret"), std::string::npos) << wrong.err;

  environment = good;
  environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
  auto closed = boat.run({"init"});
  EXPECT_EQ(closed.exit_code, 20) << closed.err;
  EXPECT_NE(closed.err.find("127.0.0.1:1 does not answer"), std::string::npos) << closed.err;

  environment = good;
  boat.write_plan("stores:\n  data: {files: ./data, every: hourly}\n", "s3://no-such-bucket");
  auto bucketless = boat.run({"init"});
  EXPECT_EQ(bucketless.exit_code, 10) << bucketless.err;
  EXPECT_NE(bucketless.err.find("make the bucket"), std::string::npos) << bucketless.err;

  files_plan();
  EXPECT_EQ(boat.run({"backup"}).exit_code, 10) << "no repository in the bucket yet";
  EXPECT_EQ(objects(""), 0u) << "a refused init leaves nothing";
}

std::string immutable_plan(const std::string& place, const std::string& endpoint,
                           const std::string& period = "1h") {
  return "version: 1\nsystem: test\nrepository:\n  at: \"s3://" + place +
         "\"\n  immutable: " + period + "\n  retain: {hourly: 1h}\n  s3: {endpoint: \"" + endpoint +
         "\", style: path, access_key: env:ONE, secret_key: env:TWO}\n"
         "  key: env:LIFEBOAT_KEY\nstores:\n  data: {files: ./data, every: hourly}\n";
}

TEST_F(S3Cli, RefusesAnImmutableRepositoryWhereLocksOrConditionsDoNotHold) {
  auto& ceph = CephServer::shared();
  boat.environment()["ONE"] = ceph.access_key();
  boat.environment()["TWO"] = ceph.secret_key();
  write_text(boat / "lifeboat.yaml", immutable_plan(bucket, ceph.endpoint()));
  auto unlocked = boat.run({"init"});
  EXPECT_EQ(unlocked.exit_code, 2) << unlocked.err;
  EXPECT_NE(unlocked.err.find("made without object lock"), std::string::npos) << unlocked.err;

  bucket = "locked-" + bucket;
  make_bucket(settings(), {.object_lock = true});
  write_text(boat / "lifeboat.yaml", immutable_plan(bucket, ceph.endpoint()));
  S3BlobStore store(*http, *clock, *random, settings());
  (void)store.put("probe/one", view_of("first"));
  bool overwrites = store.put("probe/one", view_of("second one")).ok();
  auto made = boat.run({"init"});
  EXPECT_EQ(made.exit_code, overwrites ? 2 : 0) << made.err;
  if (overwrites) {
    EXPECT_NE(made.err.find("overwrites an object"), std::string::npos) << made.err;
  }
}

TEST(S3CliOnMoto, LocksWhatThePlanCallsImmutable) {
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

TEST(S3CliOnMoto, PruneLeavesWhatIsLockedAndKeepsWhatIsNeededLocked) {
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
    write_text(boat / "data/x", noise(300'000, state));
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

  wait_for([&] { return clock->now() > at_first - Seconds(8); });
  auto second = boat.must({"prune", "--json"}).summary();
  EXPECT_GE(second["locks"]["extended"].integer(), 1);
  EXPECT_GT(store.retained_until(verdict).take().value(), at_first + Seconds(5));
  wait_for([&] { return clock->now() > at_first + Seconds(2); });
  EXPECT_EQ(store.remove(verdict).ok(), false) << "past its first lock, and still locked";
  auto third = boat.must({"prune", "--repack-budget", "0", "--json"}).summary();
  EXPECT_GE(third["packs_deleted"].integer(), 1);
  EXPECT_EQ(third["locks"]["packs_waiting"].integer(), 0);
  auto before = tree_of(boat / "data");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), before);
  boat.must({"verify", "--read", "100%"});
}

// Nobody prunes and nobody syncs: the locks run out, and that is said before they do.
TEST(S3CliOnMoto, SaysWhenLocksRunOutAndKeepsThoseOfACopy) {
  if (const auto reason = MotoServer::missing()) GTEST_SKIP() << *reason;
  constexpr Seconds period(40);
  auto& moto = MotoServer::shared();
  auto bucket = [&](const std::string& name) {
    auto out = bucket_settings(moto.endpoint(), "test", "test", name);
    out.immutable = period;
    return out;
  };
  for (const char* name : {"watched", "watched-copy"}) {
    make_bucket(bucket_settings(moto.endpoint(), "test", "test", name), {.object_lock = true});
  }
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["ONE"] = boat.environment()["TWO"] = "test";
  auto s3 = "s3: {endpoint: \"" + moto.endpoint() +
            "\", style: path, access_key: env:ONE, secret_key: env:TWO}";
  write_text(boat / "lifeboat.yaml",
             "version: 1\nsystem: test\nrepository:\n  at: \"s3://watched\"\n  immutable: 40s\n  " +
                 s3 + "\n  copies: [{at: \"s3://watched-copy\", within: 1h, immutable: 40s, " + s3 +
                 "}]\n  key: env:LIFEBOAT_KEY\nstores:\n  data: {files: ./data}\n");
  write_text(boat / "data/x", noise(300'000, 1));
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

  wait_for([&] { return clock->now() > std::max(first, in_copy) - period / 4 + Seconds(1); });
  auto alarmed = boat.run({"status"});
  EXPECT_EQ(alarmed.exit_code, 4) << alarmed.out;
  EXPECT_NE(alarmed.out.find("lifeboat prune extends them"), std::string::npos) << alarmed.out;
  EXPECT_NE(alarmed.out.find("lifeboat copy sync extends them"), std::string::npos) << alarmed.out;
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
  wait_for([&] { return clock->now() > in_copy + Seconds(1); });
  EXPECT_FALSE(copy.remove(verdict).ok()) << "past its first lock, and still locked";
}

}  // namespace
}  // namespace lb::test
