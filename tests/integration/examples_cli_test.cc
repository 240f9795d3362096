// The plans of examples/ with the real program: their runbooks in drills and in earnest.
#include "foundation/sys/random.h"
#include "tests/integration/example_core_db.h"

namespace lb::test {
namespace {

class ContentCrew : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE crew");
    sql("CREATE TABLE organizations (id int PRIMARY KEY)");
    sql("CREATE TABLE users (id int PRIMARY KEY, organization int REFERENCES organizations)");
    sql("CREATE TABLE content_jobs (id int PRIMARY KEY, user_id int REFERENCES users,"
        " created_at timestamptz NOT NULL DEFAULT now())");
    sql("CREATE TABLE content_artifacts (id int PRIMARY KEY, job int REFERENCES content_jobs,"
        " artifact_type text, storage_key text, storage_url text)");
    sql("CREATE TABLE billing_events (id int PRIMARY KEY, event_id text)");
    sql("INSERT INTO organizations VALUES (1)");
    sql("INSERT INTO users SELECT n, 1 FROM generate_series(1, 20) n");
    sql("INSERT INTO content_jobs SELECT n, n % 20 + 1 FROM generate_series(1, 200) n");
    sql("INSERT INTO content_artifacts SELECT n, n, 'voiceover_audio', 'voiceovers/' || n || "
        "'.wav', '/v1/storage/voiceovers/' || n || '.wav' FROM generate_series(1, 20) n");
    sql("INSERT INTO billing_events VALUES (1, 'a'), (2, 'b'), (3, 'b')");
    for (int n = 1; n <= 20; ++n)
      write_text(boat / cat("storage/voiceovers/", n, ".wav"), cat("sound ", n));
    write_text(boat / "storage/voiceovers/test.wav", "a test");
    write_text(boat / "storage/videos/1.mp4", "a film");
    write_text(boat / "storage/artifacts/1.txt", "a text");
    write_text(boat / "app/__main__.py", app);
    auto& environment = boat.environment();
    environment["DATABASE_URL"] = server->conninfo("crew");
    environment["REDIS_URL"] = "redis://127.0.0.1:1";
    environment["TEST_PASSWORD"] = "a test password";
    environment["LIFEBOAT_SIGNING_KEY"] = std::string(64, '5');
    stand_in("bin/docker");
    take("content-crew",
         {// A directory works the same, as the example says.
          {"at: s3://backups-bucket/content-crew", "at: ./repository"},
          {"smtp: \"mail.example.com:587\"",
           cat("smtp: \"", mail_address(), "\", ca: \"", mail->ca(), "\"")},
          // Where the API answers in production; in the sandbox it has the port to itself.
          {"protect: true, url: \"http://localhost:8000\"",
           cat("protect: true, url: \"", api.url(""), "\"")},
          {"python -m app", "python3 -m app"},  // Debian's name of it
          {"at: s3://offsite/content-crew, within: 24h, immutable: 30d", "at: ./offsite"},
          {"from: s3://offsite/content-crew", "from: ./offsite"},
          {"https://health.aws.amazon.com/health/status", status.url("/health/status")}},
         R"(groups:
  built: {stores: [db, media], authority: db}
drills:
  both: {every: monthly, restore: built, into: sandbox, checks: [db, files, api, log]}
  database: {every: monthly, runbook: db-loss, into: sandbox, checks: [db]}
  full-disk: {every: monthly, runbook: disk-full, into: sandbox, checks: [db]}
checks: {alive: [{connect: api}, {connect: db}, {connect: media}, {logs: api}]}
runbooks: {look: {steps: [{verify: [alive]}]}}
)");
    boat.must({"init"});
    boat.must({"backup", "db", "media"});
  }
  void sql(const std::string& text) { server->sql(text, "crew"); }
  std::string ask(const std::string& text) { return server->value(text, "crew"); }
  static WebAnswer answer(const WebRequest& request) {
    if (request.path == "/v1/auth/login") return {200, "{\"access_token\": \"t1\"}"};
    if (request.path == "/v1/jobs") return {201, "{}"};
    return {};
  }

  // The runbook that most others begin with: what it cannot do is said and left out by people.
  void before_restore() {
    EXPECT_EQ(waits_at(), "ask failed_component, failed_at, affected_data") << shown();
    say_and_go_on(
        {"answer", "failed_component=database", "failed_at=" + utc_now(), "affected_data=jobs"});
    auto chosen = at("choose app");
    EXPECT_TRUE(chosen.starts_with("done: db: ")) << shown();
    EXPECT_NE(chosen.find("bucket: none, a bucket store is not supported yet"), std::string::npos);
    leave_out("preflight disk, credentials, network, repository", "a redis store (cache)");
    EXPECT_TRUE(at("tell team, stakeholders (recovery-started)").starts_with("done: told"))
        << shown();
    EXPECT_TRUE(mailed("all@example.com", "content-crew")) << mail_told();
    EXPECT_EQ(slack.count("/hook", "content-crew"), 1u) << slack.told();
    do_by_hand("write down: what failed, when it was seen, how long it may take");
  }

  // The group without the stores that are not built, and without what the plan does to them.
  void leave_what_is_not_built() {
    replace_in_plan("{stores: [db, cache, media, bucket], authority: db}",
                    "{stores: [db, media], authority: db}");
    replace_in_plan("      - assess: {store: bucket}\n", "");
    replace_in_plan(
        "      - restore: {store: bucket, to: production, only: [\"voiceovers/*\"], mode: merge}\n"
        "        when: only some objects are affected\n",
        "");
    replace_in_plan(
        "      - restore: {store: bucket, to: production, mode: exact}\n"
        "        when: the whole bucket is affected\n",
        "");
  }
  void write_letters(const std::function<std::string(std::uint64_t)>& content) {
    for (std::uint64_t n = 0; n < 20; ++n)
      write_text(boat / cat("storage/artifacts/t", n, ".txt"), content(n));
    boat.must({"backup", "media"});
    sql("INSERT INTO billing_events SELECT max(id) + 1, 'x' FROM billing_events");
    wait_until_durable();
  }

  const std::string database_swap = "restore db to production at latest (beside-then-swap)";
  WebStandIn api{answer}, status;
};

TEST_F(ContentCrew, WhatIsNotBuiltIsRefusedAndNothingElse) {
  auto ran = boat.run({"backup"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("a redis store (cache)"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("a bucket store (bucket)"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("(db)"), std::string::npos) << ran.err;
}

TEST_F(ContentCrew, TheRunbookForTheDatabaseIsDrilled) {
  auto steps = passes("database");
  EXPECT_EQ(steps["docker compose stop api"], "held");
  EXPECT_EQ(steps["verify db"], "done");
  EXPECT_EQ(ledger(), "");
  EXPECT_TRUE(slack.all().empty()) << slack.told();
  EXPECT_TRUE(mail->taken().empty());
}

TEST_F(ContentCrew, TheDatabaseIsBroughtBackInEarnest) {
  passes("db-restore");  // `first: sandbox` of production
  sql("DELETE FROM content_artifacts");
  sql("DELETE FROM content_jobs WHERE id > 7");
  begin("db-loss");
  before_restore();
  do_by_hand("try to repair the database");
  EXPECT_EQ(ledger(), "docker compose stop api\n");
  as("lead");
  say_and_go_on({"approve"});
  as("ada");
  EXPECT_EQ(waits_at(), database_swap) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM content_jobs"), "7");
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at(database_swap).starts_with("done")) << shown();
  EXPECT_TRUE(at("verify db").starts_with("done")) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM content_jobs"), "200");
  tick_all(
      "checklist application starts, health check passes, log in with the test account, create "
      "a content job, data matches the backup time",
      {"application starts", "health check passes", "log in with the test account",
       "create a content job", "data matches the backup time"});
  ends();
  EXPECT_EQ(api.count("/health"), 1u);
  EXPECT_EQ(ledger(), "docker compose stop api\ndocker compose start api\n");
}

TEST_F(ContentCrew, TheFilesAreBroughtBackInEarnest) {
  passes("both");
  std::filesystem::remove_all(boat / "storage/voiceovers");
  write_text(boat / "storage/videos/new.mp4", "made since");
  begin("storage-loss");
  before_restore();
  EXPECT_TRUE(at("assess media").starts_with("done: media: 22 missing")) << shown();
  leave_out("assess bucket", "a bucket store");
  EXPECT_EQ(waits_at(), "restore media to production at latest") << shown();
  say_and_go_on({"answer", "yes"});  // files on this machine are affected
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at("restore media to production at latest").starts_with("done")) << shown();
  EXPECT_EQ(read_text(boat / "storage/voiceovers/7.wav"), "sound 7");
  EXPECT_EQ(read_text(boat / "storage/videos/new.mp4"), "made since") << "mode: merge";
  for (int bucket = 0; bucket < 3; ++bucket) say_and_go_on({"answer", "no"});
  // What was made since is no damage: a person says so.
  leave_out("verify files, api", "videos: 2 files, expected 1");
  tick_all("checklist create a test content job, its artifacts are accessible",
           {"create a test content job", "its artifacts are accessible"});
  ends();
}

// In a run nothing starts the service: it answers where production does, and its log is elsewhere.
TEST_F(ContentCrew, WhatIsLiveAcceptsConnectionsAndItsLogIsNotKnown) {
  begin("look");
  EXPECT_TRUE(at("verify alive").starts_with("failed: 3 of 4 checks passed")) << shown();
  leave_out("verify alive", "logs api: what service api writes is known only in a drill");
  EXPECT_EQ(api.all().size(), 1u) << api.told();
  ends();
}

TEST_F(ContentCrew, WhatWasChargedTwiceIsFound) {
  begin("webhook-replay");
  const auto query =
      "query db: SELECT event_id, count(*) FROM billing_events GROUP BY 1 HAVING count(*) > 1";
  EXPECT_EQ(at(query), "done: 1 row");
  for (const char* deed :
       {"check the replay protection", "reverse duplicate charges", "correct the webhook handling"})
    do_by_hand(deed);
  do_by_hand("watch duplicate billing events for 24h");  // no check of the plan sees it
  ends();
}

TEST_F(ContentCrew, AFullDiskIsAnswered) {
  passes("full-disk");
  passes("db-restore");
  sql("DELETE FROM content_artifacts");
  begin("disk-full");
  do_by_hand("free logs, temporary");
  EXPECT_EQ(waits_at(), database_swap) << shown();
  say_and_go_on({"answer", "yes"});  // writes were lost
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_EQ(ask("SELECT count(*) FROM content_artifacts"), "20") << shown();
  do_by_hand("add disk space or move to a larger volume");
  do_by_hand("see that the disk is watched (alerts below)");
  ends();
}

TEST_F(ContentCrew, WhatIsNotBuiltStopsTheRunAndIsGoneOnWith) {
  begin("full-loss");
  EXPECT_NE(last.err.find("step 9 cannot work: not supported yet: a redis store (cache)"),
            std::string::npos)
      << last.err;
  before_restore();
  EXPECT_EQ(ask("SELECT count(*) FROM content_jobs"), "200") << "nothing of the group is touched";
  leave_out("restore app to production at latest", "a redis store (cache)");
  EXPECT_EQ(ledger(),
            "docker compose up -d db redis\ndocker compose ps --status running db redis\n"
            "docker compose up -d\n");
  leave_out("verify db, files, api", "the rows the log added are not known");
  EXPECT_EQ(waits_at(),
            "checklist database restored, storage restored, application running, health checks "
            "passing, can create content jobs, artifacts accessible");
  EXPECT_EQ(boat.run({"abort", "-m", "it was an exercise"}).exit_code, 0);
}

TEST_F(ContentCrew, ItsOtherRunbooksAreDrilled) {
  leave_what_is_not_built();
  std::string more = "drills:\n";
  for (const char* runbook : {"full-loss", "ransomware", "deletion"})
    more += cat("  of-", runbook, ": {every: quarterly, runbook: ", runbook,
                ", into: sandbox, checks: [files]}\n");
  write_text(boat / "lifeboat.yaml",
             replace_all(read_text(boat / "lifeboat.yaml"), "drills:\n", more));
  for (const char* runbook : {"full-loss", "ransomware"}) {
    auto steps = passes(cat("of-", runbook));
    std::size_t restored = 0;
    for (const auto& [title, state] : steps) {
      if (title.starts_with("restore ")) restored += state == "done" ? 1u : 0u;
      if (title.starts_with("verify ")) {
        EXPECT_EQ(state, "done") << runbook << ": " << title;
      }
    }
    EXPECT_EQ(restored, 1u) << runbook;
  }
  EXPECT_TRUE(slack.all().empty()) << slack.told();
  EXPECT_TRUE(mail->taken().empty()) << mail_told();
  // A tree beside the live one is refused in earnest, so it does not pass here, and people hear it.
  auto ran = boat.run({"drill", "of-deletion", "--json"});
  EXPECT_EQ(ran.summary()["record"]["verdict"].string(), "INCONCLUSIVE") << ran.err;
  EXPECT_NE(ran.out.find("how: beside of media, a file tree"), std::string::npos) << ran.out;
  EXPECT_EQ(ledger(), "");
  ASSERT_EQ(slack.all().size(), 1u) << slack.told();
  EXPECT_NE(slack.told().find("drill failed: of-deletion"), std::string::npos) << slack.told();
  EXPECT_EQ(mail->taken().size(), 1u) << mail_told();
  // The second drill of a runbook says what the first took.
  passes("of-full-loss");
  auto report = boat.must({"report", "of-full-loss"}).out;
  EXPECT_NE(report.find(" of which both are known: predicted "), std::string::npos) << report;
  EXPECT_NE(report.find("| team | is told | "), std::string::npos) << report;
}

TEST_F(ContentCrew, AMachineThatIsGoneIsBroughtBackInEarnest) {
  leave_what_is_not_built();
  passes("both");  // `first: sandbox` of production
  sql("DELETE FROM content_artifacts");
  std::filesystem::remove_all(boat / "storage/voiceovers");
  begin("full-loss");
  EXPECT_EQ(waits_at(), "ask failed_component, failed_at, affected_data") << shown();
  say_and_go_on(
      {"answer", "failed_component=machine", "failed_at=" + utc_now(), "affected_data=all"});
  // It looks at every store of the plan, also at those that this group leaves out.
  leave_out("preflight disk, credentials, network, repository", "a redis store (cache)");
  do_by_hand("write down: what failed, when it was seen, how long it may take");
  const std::string restore = "restore app to production at latest";
  EXPECT_EQ(waits_at(), restore) << shown();
  EXPECT_EQ(ledger(),
            "docker compose up -d db redis\ndocker compose ps --status running db redis\n");
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at(restore).starts_with("done")) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM content_artifacts"), "20");
  EXPECT_EQ(read_text(boat / "storage/voiceovers/7.wav"), "sound 7");
  EXPECT_TRUE(at("verify db, files, api").starts_with("done: 14 of 14 checks passed")) << shown();
  const std::vector<std::string> items = {"database restored",       "storage restored",
                                          "application running",     "health checks passing",
                                          "can create content jobs", "artifacts accessible"};
  tick_all(cat("checklist ", join(items, ", ")), items);
  ends();
  auto draft = boat.must({"postmortem"}).out;
  EXPECT_NE(draft.find("| store | step | point | reached | lost"), std::string::npos) << draft;
  for (const char* row : {"\n| db | ", "\n| media | "})
    EXPECT_NE(draft.find(row), std::string::npos) << row << "\n" << draft;
}

TEST_F(ContentCrew, AfterAnIntruderTheLastCleanMomentIsBroughtBack) {
  leave_what_is_not_built();
  follow("db");
  write_letters([](std::uint64_t) {
    std::string readable;
    for (int line = 0; line < 300; ++line) readable += cat("Line ", line, " can be read.\n");
    return readable;
  });
  write_letters(
      [](std::uint64_t n) { return std::string(text_of(seeded_random(n)->bytes(9000))); });
  begin("ransomware");
  do_by_hand("isolate affected systems");
  const auto found = at("bisect app");
  ASSERT_TRUE(found.starts_with("done: clean at ")) << shown();
  const auto from = std::string("done: clean at ").size();
  boat.must({"drill", "both", "--at", found.substr(from, found.find_first_of(" ;", from) - from)});
  const std::string restore = "restore app to production at $clean";
  EXPECT_EQ(waits_at(), restore) << shown();
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at(restore).starts_with("done")) << shown();
  EXPECT_EQ(read_text(boat / "storage/artifacts/t7.txt").substr(0, 19), "Line 0 can be read.");
  EXPECT_TRUE(at("verify db, files, api").starts_with("done")) << shown();
  for (const char* deed :
       {"see that no malware remains", "rotate all", "strengthen security where they came in"})
    do_by_hand(deed);
  ends();
}

// The repository is out of reach with the provider: what there is lies in the copy elsewhere.
TEST_F(ContentCrew, AnOutageIsOutlivedOutOfTheCopy) {
  passes("both");  // `first: sandbox` of production
  boat.must({"copy", "sync"});
  std::filesystem::rename(boat / "repository", boat / "unreachable");
  sql("DELETE FROM content_artifacts");
  std::filesystem::remove_all(boat / "storage/videos");
  stand_in("dns-to-standby.sh");
  auto up_to_the_restore = [&] {
    begin("provider-outage");
    EXPECT_NE(last.err.find("going on without the repository"), std::string::npos) << last.err;
    EXPECT_TRUE(at("status aws").starts_with("done")) << shown();
    say_and_go_on({"answer", "no"});   // it is not temporary
    say_and_go_on({"answer", "yes"});  // it is extended
  };
  up_to_the_restore();
  leave_out("restore app to production at latest", "a redis store (cache)");
  say_and_go_on({"abort", "-m", "an exercise"});
  replace_in_plan("{group: app, to: production, from:", "{group: built, to: production, from:");
  up_to_the_restore();
  EXPECT_NE(last.err.find("./offsite what it lacks is not known"), std::string::npos) << last.err;
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at("restore built to production at latest").ends_with("; out of ./offsite"));
  EXPECT_EQ(ask("SELECT count(*) FROM content_artifacts"), "20") << shown();
  EXPECT_EQ(read_text(boat / "storage/videos/1.mp4"), "a film");
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_EQ(ledger(), "dns-to-standby.sh \n") << shown();
  // What was counted at the point is read out of the copy.
  EXPECT_TRUE(at("verify db, files, api").starts_with("done: 14 of 14 checks passed")) << shown();
  ends();
}

// Deleted data is looked for beside what is live, which is not touched.
TEST_F(ContentCrew, WhatWouldBeMergedIntoWhatIsLiveIsRefused) {
  begin("deletion");
  before_restore();
  EXPECT_NE(at("assess app").find("media: 0 missing, 0 changed, 0 extra"), std::string::npos)
      << shown();
  leave_out("assess app", "cache: not built, look yourself");
  leave_out("restore app to production at $failed_at (beside)", "a redis store (cache)");
  EXPECT_EQ(files_below(boat / "storage").size(), 23u);
}

using CoreDb = CoreDbBoat;

TEST_F(CoreDb, DeletedRowsAreBroughtBackToTheSecondBefore) {
  passes("monthly");
  follow("core");
  sql("INSERT INTO payments VALUES (1000, 1)");
  const auto deleted_at = utc_now();
  sql("DELETE FROM payments");
  wait_until_durable();
  begin("deletion");
  say_and_go_on({"answer", "deleted_at=" + deleted_at});
  do_by_hand("read the alerts (backup failures, database errors)");
  do_by_hand("confirm the scope of the incident");
  do_by_hand("networking and security groups of $target");
  EXPECT_EQ(ledger(), "provision-db.sh primary\n");
  const std::string restore = "restore core to $target at $when";
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_NE(at(restore).find("takes what was proven in staging first"), std::string::npos)
      << shown();
  boat.must({"drill", "monthly", "--at", deleted_at});
  say_and_go_on({"step", "retry"});
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_TRUE(at(restore).starts_with("done")) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM payments"), "401") << "to that second";
  EXPECT_TRUE(at("verify integrity, connectivity").starts_with("done: 5 of 5 checks passed"))
      << shown();
  EXPECT_EQ(boat.run({"approve"}).exit_code, 0);
  go_on();
  EXPECT_EQ(waits_at(), "decision of management") << "ada is not the manager";
  as("manager");
  say_and_go_on({"approve"});
  as("ada");
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_EQ(ledger(), "provision-db.sh primary\npoint-services.sh primary\n") << shown();
  do_by_hand("write down: the incident");
  EXPECT_TRUE(mailed("management@example.com", "core-db")) << mail_told();
  EXPECT_GE(slack.count("/hook", "core-db"), 2u) << slack.told();
  EXPECT_TRUE(at("task follow-up").starts_with("done: left to management until ")) << shown();
  ends();
  auto tasks = boat.must({"task", "ls"}).out;
  EXPECT_NE(tasks.find("management"), std::string::npos) << tasks;
}

TEST_F(CoreDb, ItsRunbooksAreDrilled) {
  std::string more = "drills:\n";
  const std::vector<std::string> runbooks = {"deletion", "corruption", "breach", "region"};
  for (const auto& runbook : runbooks)
    more += cat("  of-", runbook, ": {every: quarterly, runbook: ", runbook,
                ", into: staging, checks: [integrity]}\n");
  write_text(boat / "lifeboat.yaml", read_text(boat / "lifeboat.yaml") + more);
  for (const auto& runbook : runbooks) {
    auto steps = passes("of-" + runbook);
    EXPECT_EQ(steps["restore core to $target at $when"], "done") << runbook;
    EXPECT_EQ(steps["verify integrity, connectivity"], "done") << runbook;
    EXPECT_EQ(steps["switch traffic to $target"], "held") << runbook;
  }
  EXPECT_EQ(ledger(), "") << "nothing is provisioned or switched";
  EXPECT_TRUE(mail->taken().empty()) << mail_told();
  auto report = boat.must({"report", "of-breach"}).out;
  EXPECT_NE(report.find("management decides: held"), std::string::npos) << report;
}

TEST_F(CoreDb, EveryMomentOfTheYearlyAuditIsProven) {
  // Fewer than the example's thirty: each restores the whole server.
  follow("core");
  for (int n = 0; n < 5; ++n) sql(cat("INSERT INTO payments VALUES (", 2000 + n, ", 1)"));
  // Moments are whole seconds: one lies between these commits, however fast the machine is.
  sql("SELECT pg_sleep(1.1)");
  sql("INSERT INTO payments VALUES (2005, 1)");
  wait_until_durable();
  auto ran = boat.run({"drill", "audit", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
}

// The only store of vidra is of a kind that is not built: each step that needs it says so, and a
// person goes on by hand.
class Vidra : public ExampleBoat {
 protected:
  void sail() override {
    auto& environment = boat.environment();
    environment["PAGERDUTY_KEY"] = "none";
    environment["PROJECT_ID"] = "vidra";
    take("vidra", {{"at: gs://vidra-firestore-backups/lifeboat", "at: ./repository"}});
    boat.must({"init"});
  }
};

TEST_F(Vidra, TheRunStopsWhereTheStoreIsNeededAndIsGoneOnWith) {
  EXPECT_NE(boat.run({"backup"}).err.find("a firestore store (fs)"), std::string::npos);
  begin("restore");
  say_and_go_on({"answer", "failed_at=" + utc_now()});
  leave_out("choose fs", "a firestore store");
  leave_out("restore fs to emulator at latest", "a firestore store");
  leave_out("verify smoke", "not supported yet: equal between collections");
  EXPECT_EQ(last.exit_code, 75);
  boat.must({"abort", "-m", "an exercise"});
}

}  // namespace
}  // namespace lb::test
