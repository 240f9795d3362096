// examples/vete.yaml with the real program: its runbooks and its drill.
#include <csignal>

#include "stores/postgres/connection.h"
#include "tests/integration/example_boat.h"

namespace lb::test {
namespace {

class Vete : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE vete");
    fill(*server);
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
  static void fill(PostgresServer& at) {
    auto sql = [&](const std::string& text) { at.sql(text, "vete"); };
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

TEST_F(Vete, AllItsRunbooksAreWalked) { EXPECT_EQ(stop_at_what_is_not_built(), ""); }

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
  say_and_go_on({"answer", "yes"});  // failover is not possible: what was restored is checked
  EXPECT_TRUE(at("verify db").starts_with("done: 7 of 7 checks passed")) << shown();
  EXPECT_EQ(ledger(), "dns-failover.sh \n");
  EXPECT_TRUE(at("verify serving, endpoints").starts_with("done: 7 of 7 checks passed")) << shown();
  do_by_hand("resume operations");
  ends();
}

// The second region has the data already. What is asked afterwards is that region, and not what
// was left, which would answer just as well.
TEST_F(Vete, AnOutageIsAnsweredByASwitch) {
  fill(*second);
  second->sql("DROP TABLE invoices", "vete");
  begin("outage");
  say_and_go_on({"answer", "yes"});  // the second region is available
  auto switched = at("switch traffic to second-region");
  EXPECT_TRUE(switched.starts_with("done: switched: postgres of second-region answers"))
      << switched;
  for (int when = 0; when < 2; ++when) say_and_go_on({"answer", "no"});  // failover is possible
  EXPECT_EQ(ledger(), "failover.sh \ndns-failover.sh \n") << shown();
  const std::string verify = "verify serving, endpoints";
  EXPECT_EQ(waits_at(), verify) << shown();
  EXPECT_NE(at(verify).find("invoices"), std::string::npos) << shown();
  second->sql("CREATE TABLE invoices (id int PRIMARY KEY, appointment int REFERENCES appointments)",
              "vete");
  second->sql("INSERT INTO invoices SELECT n, n FROM generate_series(1, 300) n", "vete");
  server->stop();
  say_and_go_on({"step", "retry"});
  EXPECT_TRUE(at(verify).starts_with("done: 7 of 7 checks passed")) << shown();
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
  say_and_go_on({"answer", "yes"});  // the same of its check
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
  EXPECT_TRUE(mail->taken().empty()) << mail_told();
  EXPECT_TRUE(status.all().empty()) << status.told();
  EXPECT_EQ(ledger(), "");
}

// Rows go back to where they were, and what came since stays.
class VeteDeletion : public Vete {
 protected:
  void up_to_the_restore() {
    follow("db");
    sql("INSERT INTO invoices VALUES (1000, 1)");
    const auto failed_at = utc_now();
    sql("DELETE FROM invoices");
    sql("DELETE FROM appointments WHERE id <= 50");
    sql("INSERT INTO pets VALUES (31, 30)");
    wait_until_durable();
    begin("deletion");
    say_and_go_on({"answer", "failed_at=" + failed_at});
    auto seen = at("assess db");
    EXPECT_TRUE(seen.starts_with("done: db: 2 tables have fewer rows, 1 table has more rows (350 "))
        << seen;
    EXPECT_EQ(waits_at(), beside) << shown();
  }
  void up_to_the_end() {
    EXPECT_EQ(at(beside),
              "done: db: public.pets_restored, public.appointments_restored, "
              "public.invoices_restored beside what is live")
        << shown();
    EXPECT_NE(shown().find("done exit code 0: INSERT 0 301"), std::string::npos) << shown();
    EXPECT_EQ(ask("SELECT count(*) FROM invoices"), "301") << "to that second";
    EXPECT_EQ(ask("SELECT count(*) FROM appointments"), "300");
    EXPECT_EQ(ask("SELECT count(*) FROM pets"), "31") << "what came since is kept";
    EXPECT_TRUE(at("verify endpoints").starts_with("done: 3 of 3 checks passed")) << shown();
    const std::vector<std::string> items = {"who reported it sees the rows again",
                                            "pets_restored and the others are dropped"};
    tick_all(cat("checklist ", join(items, ", ")), items);
    do_by_hand("write down: cause of the deletion");
    ends();
  }

  const std::string beside = "restore db to production at $point (beside)";
};

TEST_F(VeteDeletion, TheRowsGoBackToTheirTables) {
  up_to_the_restore();
  sql("CREATE TABLE appointments_restored ()");  // of an earlier exercise
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_NE(at(beside).find("has a public.appointments_restored already: nothing was written"),
            std::string::npos)
      << shown();
  EXPECT_EQ(ask("SELECT to_regclass('pets_restored') IS NULL"), "t") << "all or none";
  sql("DROP TABLE appointments_restored");
  say_and_go_on({"step", "retry"});
  say_and_go_on({"step", "confirm", "production"});
  up_to_the_end();
}

TEST_F(VeteDeletion, WhoIsKilledBetweenTwoTablesGoesOnWithTheSecond) {
  up_to_the_restore();
  // Nobody can make a table of a name that somebody is about to make.
  auto holder = pg::Connection::open(Secret(server->conninfo("vete"))).take();
  ASSERT_TRUE(holder->query("BEGIN").ok());
  ASSERT_TRUE(holder->query("CREATE TABLE appointments_restored ()").ok());
  say({"step", "confirm", "production"});
  auto running = boat.start({"resume", "--no-wait"});
  ASSERT_TRUE(eventually([&] {
    return ask("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0";
  })) << running->err_so_far();
  const auto first = ask("SELECT 'pets_restored'::regclass::oid");
  running->signal(SIGKILL);
  running->wait();
  ASSERT_TRUE(holder->query("ROLLBACK").ok());
  ASSERT_TRUE(eventually([&] {
    return ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lifeboat "
               "restore'") == "0";
  }));
  go_on();
  if (waits_at() == beside) say_and_go_on({"step", "confirm", "production"});
  EXPECT_EQ(ask("SELECT 'pets_restored'::regclass::oid"), first) << "not made anew";
  up_to_the_end();
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
