// The program on a repository in a bucket of a real object store: the whole story on a good day,
// and what it does when it is killed or the store goes away.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "foundation/base/text.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/s3_boat.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* place = "systems/test";

class S3Cli : public S3Boat {
 protected:
  S3Cli() : S3Boat(LIFEBOAT_BINARY) {}
  void write_plan(const std::string& stores_and_more) {
    boat.write_plan(stores_and_more, address(place));
  }
  void files_plan() {
    write_plan("stores:\n  data: {files: ./data, every: hourly, objective: {rpo: 2h}}\n");
  }
  std::size_t count(const std::string& prefix) { return objects(place, prefix).size(); }
};

TEST_F(S3Cli, TellsTheWholeStory) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  server->sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 1000) n");
  for (unsigned i = 0; i < 30; ++i) {
    write_text(boat / ("media/" + std::to_string(i % 4) + "/" + std::to_string(i)),
               random_text(i * 9000, i));
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
  EXPECT_NE(made.out.find(address(place)), std::string::npos) << made.out;
  boat.must({"backup"});
  auto stream = boat.start({"backup", "db", "--follow", "--verbose"});
  ASSERT_TRUE(
      eventually([&] { return stream->err_so_far().find("durable to") != std::string::npos; }));
  auto durable = [&] { return stream->err_so_far().size(); };
  server->sql("INSERT INTO people SELECT n, 'late' FROM generate_series(1001, 1200) n");
  auto seen = durable();
  ASSERT_TRUE(eventually([&] { return count("w/") > 0 && durable() > seen; }));
  stream->signal(SIGTERM);
  stream->wait();

  auto doctor = boat.run({"doctor"});
  EXPECT_NE(doctor.out.find("nothing is overwritten"), std::string::npos) << doctor.out;
  EXPECT_NE(doctor.out.find("of the store's"), std::string::npos) << doctor.out;
  EXPECT_EQ(count("probe/"), 0u);
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
    write_text(boat / ("data/" + std::to_string(i)), random_text(4 << 20, i));
  }
  boat.must({"init"});
  int killed = 0;
  for (int round = 0; round < 4; ++round) {
    auto running = boat.start({"backup"});
    auto packs = count("p/");
    // Killed at the first new pack, then at later ones.
    ASSERT_TRUE(eventually([&] {
      return !running->alive() || count("p/") > packs + static_cast<std::size_t>(round) / 2;
    }));
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
    write_text(boat / ("data/" + std::to_string(i)), random_text(4 << 20, i));
  }
  boat.must({"init"});
  auto running = boat.start({"backup"});
  ASSERT_TRUE(eventually([&] { return !running->alive() || count("p/") > 0; }));
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
    write_text(boat / ("data/" + std::to_string(i)), random_text(4 << 20, i));
  }
  boat.must({"init"});
  auto running = boat.start({"backup"});
  ASSERT_TRUE(eventually([&] { return !running->alive() || count("p/") > 0; }));
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
  EXPECT_EQ(count(""), 0u) << "a refused init leaves nothing";
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
  make_bucket(settings(place), {.object_lock = true});
  write_text(boat / "lifeboat.yaml", immutable_plan(bucket, ceph.endpoint()));
  S3BlobStore store(*http, *clock, *random, settings(place));
  (void)store.put("probe/one", view_of("first"));
  bool overwrites = store.put("probe/one", view_of("second one")).ok();
  auto made = boat.run({"init"});
  EXPECT_EQ(made.exit_code, overwrites ? 2 : 0) << made.err;
  if (overwrites) {
    EXPECT_NE(made.err.find("overwrites an object"), std::string::npos) << made.err;
  }
}

}  // namespace
}  // namespace lb::test
