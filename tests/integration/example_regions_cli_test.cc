// The rest of the plans of examples/ with the real program: what happens in another region, drills
// that ask for what is not built, and runbooks that end where a part is missing.
#include "tests/integration/example_boat.h"

namespace lb::test {
namespace {

// A drill that is refused before it begins, with all that it asks for.
void expect_refused(Lifeboat& boat, const std::string& drill,
                    const std::vector<std::string>& parts) {
  auto ran = boat.run({"drill", drill});
  EXPECT_EQ(ran.exit_code, 2) << ran.err;
  for (const auto& part : parts) {
    EXPECT_NE(ran.err.find(cat("not supported yet: ", part)), std::string::npos)
        << drill << ": " << part << "\n"
        << ran.err;
  }
}

// Two regions, each with its server and its repository.
class CoreDbRegions : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE core");
    sql("CREATE TABLE accounts (id int PRIMARY KEY)");
    sql("CREATE TABLE orders (id int PRIMARY KEY, account int REFERENCES accounts,"
        " created_at timestamptz NOT NULL DEFAULT now())");
    sql("CREATE TABLE payments (id int, paid int REFERENCES orders)");
    sql("INSERT INTO accounts VALUES (1)");
    sql("INSERT INTO orders SELECT n, 1 FROM generate_series(1, 400) n");
    sql("INSERT INTO payments SELECT n, n FROM generate_series(1, 400) n");
    west = PostgresServer::start();
    west->sql("CREATE DATABASE core");
    auto& environment = boat.environment();
    environment["CORE_DB_URL"] = server->conninfo("core");
    environment["WEST_DB_URL"] = west->conninfo("core");
    for (const char* script : {"provision-db.sh", "destroy-db.sh", "point-services.sh"})
      stand_in(script);
    take("core-db",
         {{"at: s3://dr-east", "at: ./east"},
          {"key: kms:east", "key: env:LIFEBOAT_KEY"},
          {"at: s3://dr-west, within: 15m, key: kms:west", "at: ./west, within: 15m"},
          {"copy: s3://dr-west", "copy: ./west"},
          {"from: s3://dr-west", "from: ./west"},
          // What accepts connections is asked where the other runbooks of this plan are tested.
          {"verify: [integrity, connectivity]", "verify: [integrity]"},
          {"smtp: env:SMTP_SERVER", cat("smtp: env:SMTP_SERVER, ca: \"", mail->ca(), "\"")}});
    boat.must({"init"});
    boat.must({"backup"});
    boat.must({"copy", "sync"});
  }
  void sql(const std::string& text) { server->sql(text, "core"); }
  void up_to_the_restore(const std::string& target) {
    do_by_hand("read the alerts (backup failures, database errors)");
    do_by_hand("confirm the scope of the incident");
    do_by_hand("networking and security groups of $target");
    EXPECT_EQ(ledger(), cat("provision-db.sh ", target, "\n"));
    EXPECT_EQ(waits_at(), "restore core to $target at $when") << shown();
  }
  void manager_approves() {
    as("manager");
    say_and_go_on({"approve"});
    as("ada");
  }

  std::unique_ptr<PostgresServer> west;
};

// The primary server is gone, and its repository with it: the other region has a copy of both.
TEST_F(CoreDbRegions, ARegionIsReplacedByTheOtherOutOfItsCopy) {
  std::filesystem::rename(boat / "east", boat / "out-of-reach");
  server->stop();
  begin("region");
  EXPECT_EQ(waits_at(), "decision of management") << shown();
  manager_approves();
  up_to_the_restore("west");
  EXPECT_NE(last.err.find("a copy: ./west"), std::string::npos) << last.err;
  say_and_go_on({"step", "confirm", "west"});
  EXPECT_TRUE(at("restore core to $target at $when").ends_with("; out of ./west")) << shown();
  EXPECT_EQ(west->value("SELECT count(*) FROM payments", "core"), "400");
  EXPECT_TRUE(at("verify integrity").starts_with("done: 4 of 4 checks passed")) << shown();
  manager_approves();
  say_and_go_on({"step", "confirm", "west"});
  EXPECT_NE(at("switch traffic to $target").find("postgres of west answers; the old core does"),
            std::string::npos)
      << shown();
  EXPECT_EQ(ledger(), "provision-db.sh west\npoint-services.sh west\n");
  EXPECT_EQ(read_text(boat / "core-db-url"), west->conninfo("core"));
  do_by_hand("write down: the incident");
  EXPECT_TRUE(mailed("management@example.com", "core-db")) << mail_told();
  ends();
}

// Nothing was proven in staging: production does not take it.
TEST_F(CoreDbRegions, ACorruptDatabaseIsExchangedForWhatWasProven) {
  sql("UPDATE payments SET id = 0");
  begin("corruption");
  up_to_the_restore("primary");
  say_and_go_on({"step", "confirm", "primary"});
  const std::string restore = "restore core to $target at $when";
  EXPECT_NE(at(restore).find("takes what was proven in staging first"), std::string::npos)
      << shown();
  boat.must({"drill", "monthly"});
  say_and_go_on({"step", "retry"});
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_TRUE(at(restore).starts_with("done")) << shown();
  EXPECT_EQ(server->value("SELECT count(*) FROM payments WHERE id = 0", "core"), "0");
  say_and_go_on({"abort", "-m", "what follows is that of every recovery"});
}

TEST_F(CoreDbRegions, TheDrillOfTheOtherRegionIsRefusedWithItsParts) {
  expect_refused(boat, "failover", {"'from' of a drill", "'fault' of a drill"});
}

// But for the fault: the same runbook out of the same copy, in a sandbox.
TEST_F(CoreDbRegions, TheOtherRegionIsDrilledOutOfItsCopy) {
  replace_in_plan("drills:\n",
                  "drills:\n  other-region: {every: quarterly, runbook: region, into: staging, "
                  "checks: [integrity]}\n");
  sql("UPDATE payments SET id = 0");
  auto ran = boat.run({"drill", "other-region", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const auto record = ran.summary()["record"];
  EXPECT_EQ(record["verdict"].string(), "PASS") << ran.out;
  EXPECT_NE(record.dump().find("./west"), std::string::npos) << record.dump();
  EXPECT_EQ(ledger(), "") << "nothing was provisioned in earnest";
  EXPECT_EQ(west->value("SELECT to_regclass('payments') IS NULL", "core"), "t");
}

// Plans alone: none of this needs data.
class ExamplePlans : public ExampleBoat {
 protected:
  void sail() override {}
};

TEST_F(ExamplePlans, ContentCrewsOtherDrills) {
  auto& environment = boat.environment();
  environment["DATABASE_URL"] = server->conninfo("postgres");
  environment["REDIS_URL"] = "redis://127.0.0.1:1";
  environment["LIFEBOAT_SIGNING_KEY"] = std::string(64, '5');
  take("content-crew", {{"at: s3://backups-bucket/content-crew", "at: ./repository"},
                        {"at: s3://offsite/content-crew, within: 24h, immutable: 30d",
                         "at: ./offsite, within: 24h"},
                        {"from: s3://offsite/content-crew", "from: ./offsite"}});
  boat.must({"init"});
  EXPECT_EQ(boat.run({"drill", "integrity"}).exit_code, 0) << "verify: 10%";
  expect_refused(boat, "full", {"a redis store (cache)", "a bucket store (bucket)"});
  expect_refused(boat, "alternative",
                 {"a redis store (cache)", "a bucket store (bucket)", "'via' of a drill"});
}

TEST_F(ExamplePlans, VidraHasNothingToDrillOrExportYet) {
  boat.environment()["PAGERDUTY_KEY"] = "none";
  boat.environment()["PROJECT_ID"] = "vidra";
  std::filesystem::create_directories(boat / "bin");
  std::filesystem::create_symlink(LIFEBOAT_BINARY, boat / "bin/lifeboat");
  take("vidra", {{"at: gs://vidra-firestore-backups/lifeboat", "at: ./repository"}});
  boat.must({"init"});
  expect_refused(boat, "monthly", {"a firestore store (fs)", "wiping a target"});
  begin("export");
  leave_out("preflight credentials, network, repository", "a firestore store (fs)");
  for (const char* task : {"task export-everything", "task export-credits"}) {
    EXPECT_EQ(waits_at(), task) << shown();
    say_and_go_on({"answer", "yes"});
    EXPECT_TRUE(at(task).starts_with("failed: exit code 2")) << shown();
    say_and_go_on({"step", "skip", "-m", "exported by hand"});
  }
  ends();
}

}  // namespace
}  // namespace lb::test
