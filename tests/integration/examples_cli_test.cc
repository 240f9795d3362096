// The plans of examples/ with the real program: their runbooks in drills and in earnest.
#include "foundation/sys/random.h"
#include "tests/integration/example_content_crew.h"
#include "tests/integration/example_core_db.h"

namespace lb::test {
namespace {

using ContentCrew = ContentCrewBoat;

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
            "docker compose up -d\ndocker compose ps\n");
  leave_out("verify db, files, api", "the rows the log added are not known");
  EXPECT_EQ(waits_at(),
            "checklist database restored, storage restored, application running, health checks "
            "passing, can create content jobs, artifacts accessible");
  EXPECT_EQ(boat.run({"abort", "-m", "it was an exercise"}).exit_code, 0);
}

TEST_F(ContentCrew, AMachineThatIsGoneIsBroughtBackInEarnest) {
  leave_what_is_not_built();
  passes("both");  // `first: sandbox` of production
  sql("DELETE FROM content_artifacts");
  std::filesystem::remove_all(boat / "storage/voiceovers");
  begin("full-loss");
  before_restore_of_what_is_built("machine", utc_now());
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

using CoreDb = CoreDbBoat;

TEST_F(CoreDb, AllItsRunbooksAreWalked) { EXPECT_EQ(stop_at_what_is_not_built(), ""); }

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
    environment["PAGERDUTY_KEY"] = "a routing key";
    environment["PROJECT_ID"] = "vidra";
    take("vidra", {{"at: gs://vidra-firestore-backups/lifeboat", "at: ./repository"},
                   {"{pagerduty: env:PAGERDUTY_KEY}", cat("{pagerduty: env:PAGERDUTY_KEY, at: \"",
                                                          pager.url("/v2/enqueue"), "\"}")}});
    boat.must({"init"});
  }
  // Whom an incident of that severity tells at once.
  std::string told_of(const std::string& severity) {
    auto before = std::pair(pager.all().size(), slack.all().size());
    auto ran =
        boat.must({"incident", "open", severity, "videos are gone", "-s", "documents missing"});
    EXPECT_NE(ran.out.find("lifeboat run restore --incident"), std::string::npos) << ran.out;
    return cat("pager ", pager.all().size() - before.first, ", room ",
               slack.all().size() - before.second);
  }

  WebStandIn pager{[](const WebRequest&) {
    return WebAnswer{202, R"({"status": "success", "dedup_key": "k"})"};
  }};
};

TEST_F(Vidra, AllItsRunbooksAreWalked) {
  std::filesystem::create_directories(boat / "bin");
  std::filesystem::create_symlink(LIFEBOAT_BINARY, boat / "bin/lifeboat");
  EXPECT_EQ(stop_at_what_is_not_built(), "restore");
}

TEST_F(Vidra, WhoHasToAnswerIsToldBySeverity) {
  EXPECT_EQ(told_of("P0"), "pager 1, room 1") << "who is on call, and the team lead";
  EXPECT_EQ(slack.count("/hook", "@team-lead"), 1u) << slack.told();
  EXPECT_EQ(told_of("P1"), "pager 1, room 0");
  EXPECT_EQ(told_of("P2"), "pager 0, room 0") << "the next business day";
}

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
