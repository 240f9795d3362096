// examples/vete.yaml with the real program: its runbooks and its drill.
#include "tests/integration/example_boat.h"

namespace lb::test {
namespace {

class Vete : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE vete");
    sql("CREATE TABLE clinics (id int PRIMARY KEY)");
    sql("CREATE TABLE profiles (id int PRIMARY KEY, clinic int REFERENCES clinics)");
    sql("CREATE TABLE pets (id int PRIMARY KEY, owner int REFERENCES profiles)");
    sql("CREATE TABLE appointments (id int PRIMARY KEY, pet int REFERENCES pets,"
        " created_at timestamptz NOT NULL DEFAULT now())");
    sql("CREATE TABLE invoices (id int PRIMARY KEY, appointment int REFERENCES appointments)");
    sql("INSERT INTO clinics VALUES (1)");
    sql("INSERT INTO profiles SELECT n, 1 FROM generate_series(1, 30) n");
    sql("INSERT INTO pets SELECT n, n FROM generate_series(1, 30) n");
    sql("INSERT INTO appointments SELECT n, n % 30 + 1 FROM generate_series(1, 300) n");
    sql("INSERT INTO invoices SELECT n, n FROM generate_series(1, 300) n");
    // What pg_cron keeps, which is not installed here.
    sql("CREATE SCHEMA cron");
    sql("CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, jobname name, schedule text NOT NULL,"
        " command text NOT NULL, database text NOT NULL DEFAULT current_database(),"
        " username text NOT NULL DEFAULT current_user, active boolean NOT NULL DEFAULT true)");
    sql("INSERT INTO cron.job (jobname, schedule, command) VALUES"
        " ('send-reminders', '*/10 * * * *', 'SELECT 1'),"
        " ('expire-invites', '0 3 * * *', 'SELECT 1')");
    write_text(boat / "app/__main__.py", app);
    auto& environment = boat.environment();
    environment["SUPABASE_DB_URL"] = server->conninfo("vete");
    second = PostgresServer::start();
    second->sql("CREATE DATABASE vete");
    environment["SECOND_REGION_DB_URL"] = second->conninfo("vete");
    environment["TEST_PASSWORD"] = "a test password";
    environment["STATUS_PAGE_HOOK"] = status.url("/page");
    for (const char* script : {"failover.sh", "dns-failover.sh", "dns-back.sh"}) stand_in(script);
    take("vete", {{"at: s3://vete-backups/lifeboat", "at: ./repository"},
                  {"  copies: [{at: s3://vete-backups-second-region/lifeboat, within: 1h}]\n", ""},
                  {"smtp: \"mail.vete.example.com:587\"",
                   cat("smtp: \"", mail_address(), "\", ca: \"", mail->ca(), "\"")},
                  {"npm run start", "python3 -m app --port 3000"},  // no npm here
                  {"https://vete.example.com", api.url("")},
                  {"https://second.vete.example.com", api.url("")},
                  {"https://status.supabase.com/api/v2/status.json", status.url("/supabase")},
                  {"https://www.vercel-status.com/api/v2/status.json", status.url("/vercel")}});
    boat.must({"init"});
    boat.must({"backup"});
  }
  void sql(const std::string& text) { server->sql(text, "vete"); }
  std::string ask(const std::string& text) { return server->value(text, "vete"); }

  std::unique_ptr<PostgresServer> second;
  WebStandIn api{[](const WebRequest& request) {
    if (request.path == "/api/auth/login") return WebAnswer{200, "{\"access_token\": \"t1\"}"};
    return WebAnswer{};
  }};
  WebStandIn status{[](const WebRequest& request) {
    if (request.path == "/supabase") return WebAnswer{200, "{\"status\": \"operational\"}"};
    return WebAnswer{};
  }};
};

TEST_F(Vete, ACorruptDatabaseIsExchanged) {
  follow("db");
  sql("INSERT INTO invoices VALUES (1000, 1)");
  const auto failed_at = utc_now();
  sql("UPDATE appointments SET created_at = '2001-01-01'");
  wait_until_durable();
  begin("corruption");
  EXPECT_EQ(waits_at(), "ask failed_at") << "nobody is told before that is known" << shown();
  EXPECT_TRUE(mail->taken().empty()) << mail_told();
  say_and_go_on({"answer", "failed_at=" + failed_at});
  auto seen = at("assess db");
  EXPECT_TRUE(seen.starts_with("done: db: 1 table has more rows")) << seen;
  EXPECT_TRUE(mailed("stakeholders@vete.example.com", "vete: ")) << mail_told();
  const std::string swap = "restore db to production at $point (beside-then-swap)";
  EXPECT_EQ(waits_at(), swap) << shown();
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_NE(last.err.find("loses"), std::string::npos) << last.err;
  EXPECT_TRUE(at(swap).starts_with("done")) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM appointments WHERE created_at < '2002-01-01'"), "0");
  EXPECT_EQ(ask("SELECT count(*) FROM invoices"), "301") << "to that second, not to the backup";
  EXPECT_TRUE(at("verify db").starts_with("done: 7 of 7 checks passed")) << shown();
  do_by_hand("resume operations");
  EXPECT_TRUE(at("postmortem post-mortem").starts_with("done: draft in ")) << shown();
  ends();
  auto draft = boat.must({"postmortem"}).out;
  EXPECT_NE(draft.find("corruption"), std::string::npos) << draft;
}

TEST_F(Vete, TheChecklistIsWalked) {
  begin("checklist");
  EXPECT_EQ(slack.count("/hook", "vete"), 1u) << slack.told();
  do_by_hand("assess incident scope");
  EXPECT_EQ(status.count("/supabase"), 1u);
  EXPECT_EQ(status.count("/vercel"), 1u);
  const std::string swap = "restore db to production at latest (beside-then-swap)";
  EXPECT_EQ(waits_at(), swap) << shown();
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_TRUE(at(swap).starts_with("done")) << shown();
  EXPECT_TRUE(at("verify db").starts_with("done: 7 of 7 checks passed")) << shown();
  EXPECT_TRUE(at("verify endpoints").starts_with("done")) << shown();
  for (const char* deed : {"verify the auth system", "check cron jobs"}) do_by_hand(deed);
  EXPECT_TRUE(mailed("customers@vete.example.com", "vete")) << mail_told();
  EXPECT_TRUE(eventually([&] { return status.count("/page") == 1; })) << status.told();
  ends();
}

TEST_F(Vete, AnOutageIsAnsweredInTheSecondRegion) {
  begin("outage");
  EXPECT_EQ(waits_at(), "switch traffic to second-region") << shown();
  say_and_go_on({"answer", "no"});   // the second region is available
  say_and_go_on({"answer", "yes"});  // failover is not possible
  EXPECT_EQ(second->value("SELECT count(*) FROM appointments", "vete"), "300") << shown();
  EXPECT_EQ(ledger(), "dns-failover.sh \n");
  EXPECT_TRUE(at("verify db, endpoints").starts_with("done: 10 of 10 checks passed")) << shown();
  do_by_hand("resume operations");
  ends();
}

TEST_F(Vete, AProviderThatStaysDownIsAnsweredAsAnOutage) {
  replace_in_plan("wait: {for: 1h}", "wait: {for: 1s}");
  begin("provider-down");
  EXPECT_TRUE(at("wait 1s").starts_with("done")) << shown();
  EXPECT_EQ(status.count("/supabase"), 2u) << "asked before the wait and after it";
  say_and_go_on({"answer", "no"});   // the second region is available
  say_and_go_on({"answer", "yes"});  // failover is not possible
  EXPECT_EQ(second->value("SELECT count(*) FROM appointments", "vete"), "300") << shown();
  do_by_hand("resume operations");
  ends();
}

// Each in the sandbox of the quarterly drill: what is restored is what would be, and nothing
// leaves.
TEST_F(Vete, ItsRunbooksAreDrilled) {
  std::string more = "drills:\n";
  const std::vector<std::string> runbooks = {"corruption", "checklist",     "outage",
                                             "breach",     "provider-down", "deletion"};
  for (const auto& runbook : runbooks)
    more += cat("  of-", runbook, ": {every: quarterly, runbook: ", runbook,
                ", into: sandbox, checks: [db]}\n");
  write_text(boat / "lifeboat.yaml", read_text(boat / "lifeboat.yaml") + more);
  for (const auto& runbook : runbooks) {
    if (runbook == "deletion") continue;
    auto steps = passes("of-" + runbook);
    for (const auto& [title, state] : steps) {
      if (title.starts_with("restore db ")) {
        EXPECT_EQ(state, "done") << runbook << ": " << title;
      }
      if (title.starts_with("tell ")) {
        EXPECT_EQ(state, "held") << runbook << ": " << title;
      }
    }
  }
  EXPECT_TRUE(slack.all().empty()) << slack.told();
  // What is refused in earnest does not pass in a drill, and whoever is on call hears of it.
  auto ran = boat.run({"drill", "of-deletion", "--json"});
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_EQ(ran.summary()["record"]["verdict"].string(), "INCONCLUSIVE") << ran.err;
  EXPECT_NE(ran.out.find("only: and mode: exact of db, a database"), std::string::npos) << ran.out;
  EXPECT_TRUE(mail->taken().empty()) << mail_told();
  ASSERT_EQ(slack.all().size(), 1u) << slack.told();
  EXPECT_NE(slack.told().find("drill failed: of-deletion"), std::string::npos) << slack.told();
  EXPECT_TRUE(status.all().empty()) << status.told();
  EXPECT_EQ(ledger(), "");
}

TEST_F(Vete, DeletedRowsAreLookedForBeside) {
  follow("db");
  const auto failed_at = utc_now();
  sql("DELETE FROM invoices");
  wait_until_durable();
  begin("deletion");
  say_and_go_on({"answer", "failed_at=" + failed_at});
  auto seen = at("assess db");
  EXPECT_TRUE(seen.starts_with("done: db: 1 table has fewer rows (300 rows less)")) << seen;
  const std::string beside = "restore db to production at $point (beside)";
  EXPECT_EQ(waits_at(), beside) << shown();
  say_and_go_on({"step", "confirm", "production"});
  leave_out(beside, "only: ");
  EXPECT_EQ(server->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'vete%'"), "1");
}

TEST_F(Vete, TheQuarterlyDrillAsksTheSchedulesToo) {
  auto told = boat.must({"drill", "quarterly", "--json"}).out;
  EXPECT_NE(told.find("send-reminders: */10 * * * *, next due "), std::string::npos) << told;
  EXPECT_NE(told.find("answered SELECT 1"), std::string::npos) << told;
  sql("UPDATE cron.job SET active = false WHERE jobname = 'expire-invites'");
  boat.must({"backup"});
  auto ran = boat.run({"drill", "quarterly", "--json"});
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_EQ(ran.summary()["record"]["verdict"].string(), "FAIL") << ran.err;
  EXPECT_NE(ran.out.find("expire-invites: not active"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace lb::test
