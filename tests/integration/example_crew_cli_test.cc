// examples/content-crew.yaml with the real program: what was deleted is brought back beside what is
// live, its runbooks in drills, and the tabletop of all.
#include "tests/integration/example_content_crew.h"

namespace lb::test {
namespace {

using ContentCrew = ContentCrewBoat;

TEST_F(ContentCrew, AllItsRunbooksAreWalked) {
  stand_in("dns-to-standby.sh");
  write_text(boat / "lifeboat.yaml", "version: 1\ninclude: example.yaml\n");
  EXPECT_EQ(stop_at_what_is_not_built(),
            "storage-loss, full-loss, deletion, ransomware, provider-outage");
}

TEST_F(ContentCrew, WhatWasDeletedIsBroughtBackBeside) {
  leave_what_is_not_built();
  follow("db");
  sql("INSERT INTO content_artifacts VALUES (100, 1, 'text', 'artifacts/1.txt', '/none')");
  boat.must({"backup", "media"});  // the database of a group stands where its files do
  const auto failed_at = utc_now();
  sql("DELETE FROM content_artifacts");
  std::filesystem::remove_all(boat / "storage/voiceovers");
  sql("INSERT INTO content_jobs VALUES (1000, 1)");
  wait_until_durable();
  begin("deletion");
  before_restore_of_what_is_built("database and files", failed_at);
  auto seen = at("assess app");
  EXPECT_NE(seen.find("db: 1 table has fewer rows, 1 table has more rows (20 rows less)"),
            std::string::npos)
      << seen;
  EXPECT_NE(seen.find("media: 22 missing"), std::string::npos) << seen;
  const std::string restore = "restore app to production at $point (beside)";
  EXPECT_EQ(waits_at(), restore) << shown();
  boat.must({"drill", "both", "--at", failed_at});  // `first: sandbox` of production
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at(restore).starts_with("done: db to database crew_restored; media to ")) << shown();
  auto restored = [&](const std::string& text) { return server->value(text, "crew_restored"); };
  EXPECT_EQ(restored("SELECT count(*) FROM content_artifacts"), "21")
      << "with what came since its backup";
  EXPECT_EQ(restored("SELECT count(*) FROM content_jobs"), "200");
  EXPECT_EQ(ask("SELECT count(*) FROM content_artifacts"), "0") << "what is live is untouched";
  EXPECT_EQ(ask("SELECT count(*) FROM content_jobs"), "201");
  EXPECT_EQ(files_below(boat / "storage").size(), 2u);
  EXPECT_TRUE(at("verify db, files")
                  .starts_with("done: 9 of 9 checks passed (db: database "
                               "crew_restored; media: "))
      << shown();
  const auto media = boat / "storage_restored_";
  const auto text = at(restore);
  ASSERT_NE(text.find(media), std::string::npos) << text;
  const auto folder = text.substr(text.find(media), media.size() + 8);
  EXPECT_EQ(read_text(folder + "/voiceovers/7.wav"), "sound 7");
  do_by_hand("take over what was deleted from the database and the files beside");
  const std::vector<std::string> items = {"what was missing is there again",
                                          "what came since is there too"};
  tick_all(cat("checklist ", join(items, ", ")), items);
  do_by_hand("write down: cause of the deletion");
  ends();
}

// With all its stores the run stops there, and what is live is not touched.
TEST_F(ContentCrew, ADeletionStopsAtTheStoresThatAreNotBuilt) {
  begin("deletion");
  before_restore();
  EXPECT_NE(at("assess app").find("media: 0 missing, 0 changed, 0 extra"), std::string::npos)
      << shown();
  leave_out("assess app", "cache: not built, look yourself");
  leave_out("restore app to production at $point (beside)", "a redis store (cache)");
  EXPECT_EQ(files_below(boat / "storage").size(), 23u);
}

TEST_F(ContentCrew, ItsOtherRunbooksAreDrilled) {
  leave_what_is_not_built();
  std::string more = "drills:\n";
  for (const char* runbook : {"full-loss", "ransomware", "deletion"})
    more += cat("  of-", runbook, ": {every: quarterly, runbook: ", runbook,
                ", into: sandbox, checks: [files]}\n");
  write_text(boat / "lifeboat.yaml",
             replace_all(read_text(boat / "lifeboat.yaml"), "drills:\n", more));
  for (const char* runbook : {"full-loss", "ransomware", "deletion"}) {
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
  EXPECT_EQ(ledger(), "");
  // The second drill of a runbook says what the first took.
  passes("of-full-loss");
  auto report = boat.must({"report", "of-full-loss"}).out;
  EXPECT_NE(report.find(" of which both are known: predicted "), std::string::npos) << report;
  EXPECT_NE(report.find("| team | is told | "), std::string::npos) << report;
}

TEST_F(ContentCrew, WhatRestoresOnePartOrNothingIsDrilledBesideTheRest) {
  leave_what_is_not_built();
  write_text(boat / "lifeboat.yaml",
             replace_all(read_text(boat / "lifeboat.yaml"), "drills:\n",
                         "drills:\n  replay: {every: quarterly, restore: db, runbook: "
                         "webhook-replay, into: sandbox, checks: [db]}\n"
                         "  outage: {every: quarterly, runbook: provider-outage, into: sandbox, "
                         "checks: [db]}\n"));
  auto steps = passes("storage");
  EXPECT_EQ(steps["restore media to production"], "done");
  EXPECT_EQ(steps["verify files, api"], "done") << "held against the database";
  steps = passes("replay");
  EXPECT_EQ(steps["reverse duplicate charges"], "held");
  EXPECT_TRUE(slack.all().empty()) << slack.told();
  // A copy that is not there is not proven, and people hear that it is not.
  auto ran = boat.run({"drill", "outage", "--json"});
  EXPECT_EQ(ran.exit_code, 10) << ran.err;
  EXPECT_NE(ran.err.find("from: ./offsite"), std::string::npos) << ran.err;
  ASSERT_EQ(slack.all().size(), 1u) << slack.told();
  EXPECT_NE(slack.told().find("drill failed: outage"), std::string::npos) << slack.told();
  EXPECT_EQ(mail->taken().size(), 1u) << mail_told();
  boat.must({"copy", "sync"});
  steps = passes("outage");
  EXPECT_EQ(steps["restore app to production"], "done") << "out of the copy";
  EXPECT_EQ(steps["verify db, files, api"], "done");
  EXPECT_EQ(steps["switch traffic to production"], "held");
  EXPECT_EQ(ledger(), "");
}

}  // namespace
}  // namespace lb::test
