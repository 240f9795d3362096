// What the plans of examples/ do after an intruder: the last clean moment is found by machine, and
// what the runbook does next has it.
#include "foundation/sys/random.h"
#include "tests/integration/example_core_db.h"

namespace lb::test {
namespace {

class ContentCrewBreach : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE crew");
    server->sql("CREATE TABLE users (id int, name text)", "crew");
    server->sql("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 50) n", "crew");
    write_letters([](std::uint64_t) {
      std::string readable;
      for (int line = 0; line < 300; ++line) readable += cat("Line ", line, " can be read.\n");
      return readable;
    });
    auto& environment = boat.environment();
    environment["DATABASE_URL"] = server->conninfo("crew");
    environment["REDIS_URL"] = "redis://127.0.0.1:1";
    environment["LIFEBOAT_SIGNING_KEY"] = std::string(64, '5');
    take("content-crew", {{"at: s3://backups-bucket/content-crew", "at: ./repository"}});
    boat.must({"init"});
    boat.must({"backup", "db"});
    follow("db");
    back_up();
  }
  // The log goes on beyond the files, as it would in life.
  void back_up() {
    boat.must({"backup", "media"});
    server->sql("INSERT INTO users VALUES (100, 'another user')", "crew");
    wait_until_durable();
  }
  void write_letters(const std::function<std::string(std::uint64_t)>& content) {
    for (std::uint64_t n = 0; n < 20; ++n)
      write_text(boat / cat("storage/artifacts/t", n, ".txt"), content(n));
  }
};

TEST_F(ContentCrewBreach, WhatWasEncryptedIsLookedForInTheGroup) {
  write_letters(
      [](std::uint64_t n) { return std::string(text_of(seeded_random(n)->bytes(9000))); });
  back_up();
  begin("ransomware");
  do_by_hand("isolate affected systems");
  const auto found = at("bisect app");
  EXPECT_TRUE(found.starts_with("done: clean at ")) << shown();
  EXPECT_NE(found.find("cache was not looked at: a redis store is not supported yet"),
            std::string::npos)
      << found;
  leave_out("restore app to production at $clean", "a redis store (cache)");
  EXPECT_EQ(boat.run({"abort", "-m", "it was an exercise"}).exit_code, 0);
}

class VeteBreach : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE vete");
    sql("CREATE TABLE notes (id int, body text)");
    sql("INSERT INTO notes SELECT n, 'the pet is well, visit ' || n FROM generate_series(1, 200) "
        "n");
    auto& environment = boat.environment();
    environment["SUPABASE_DB_URL"] = server->conninfo("vete");
    environment["SECOND_REGION_DB_URL"] = "host=127.0.0.1 port=1 dbname=vete user=nobody";
    environment["TEST_PASSWORD"] = "a test password";
    take("vete", {{"at: s3://vete-backups/lifeboat", "at: ./repository"},
                  {"  copies: [{at: s3://vete-backups-second-region/lifeboat, within: 1h}]\n", ""},
                  {"smtp: \"mail.vete.example.com:587\"",
                   cat("smtp: \"", mail_address(), "\", ca: \"", mail->ca(), "\"")}});
    boat.must({"init"});
    boat.must({"backup"});
  }
  void sql(const std::string& text) { server->sql(text, "vete"); }
};

TEST_F(VeteBreach, TheLastPointBeforeItIsFoundAndBroughtBack) {
  sql("UPDATE notes SET body = encode(sha256(convert_to(body, 'UTF8')), 'hex')");
  boat.must({"backup"});
  boat.must({"backup"});
  begin("breach");
  do_by_hand("isolate affected systems");
  EXPECT_TRUE(at("assess db").starts_with("done: db: ")) << shown();
  do_by_hand("rotate all");
  EXPECT_TRUE(at("bisect db").starts_with("done: clean at ")) << shown();
  EXPECT_EQ(waits_at(), "restore db to production at $clean") << shown();
  say_and_go_on({"step", "confirm", "production"});
  EXPECT_EQ(server->value("SELECT count(*) FROM notes WHERE body LIKE 'the pet is well%'", "vete"),
            "200")
      << shown();
  do_by_hand("implement additional security");
  EXPECT_TRUE(mailed("customers@vete.example.com", "is affected since")) << mail_told();
  say({"answer", "yes"});  // personal data was affected
  // What goes to the regulator is sent when stakeholders have read it.
  auto left = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(left.exit_code, 75) << left.err;
  const std::string words = "lifeboat message approve ";
  ASSERT_NE(left.err.find(words), std::string::npos) << left.err;
  auto said = left.err.substr(left.err.find(words) + words.size());
  auto id = said.substr(0, said.find('\n'));
  const auto hash = boat.must({"message", "show", id, "--json"}).summary()["hash"].string();
  auto refused = boat.run({"message", "approve", id, "--hash", hash});
  EXPECT_EQ(refused.exit_code, 5) << "ada is no stakeholder" << refused.err;
  EXPECT_FALSE(mail_told().find("regulator@example.org") != std::string::npos) << mail_told();
  as("stakeholder");
  say({"message", "approve", id, "--hash", hash});
  as("ada");
  last = boat.run({"resume", "--no-wait"});
  EXPECT_TRUE(mailed("regulator@example.org", "since")) << mail_told();
  say_and_go_on({"answer", "yes"});  // personal data was affected
  do_by_hand("whatever else the law asks, with its dates");
  EXPECT_TRUE(at("postmortem post-mortem").starts_with("done: draft in ")) << shown();
  ends();
}

using CoreDbBreach = CoreDbBoat;

TEST_F(CoreDbBreach, TheCommitBeforeItIsFoundAndBroughtBack) {
  follow("core");
  sql("INSERT INTO payments VALUES (1000, 1)");
  sql("SET session_replication_role = replica; DELETE FROM accounts WHERE id = 3");
  sql("INSERT INTO payments VALUES (1001, 1)");
  wait_until_durable();
  begin("breach");
  do_by_hand("isolate the compromised database");
  const auto found = at("bisect core");
  EXPECT_TRUE(found.starts_with("done: clean at ")) << shown();
  EXPECT_NE(found.find("; between them transaction "), std::string::npos) << found;
  do_by_hand("read the alerts (backup failures, database errors)");
  do_by_hand("confirm the scope of the incident");
  do_by_hand("networking and security groups of $target");
  const auto from = std::string("done: clean at ").size();
  boat.must({"drill", "monthly", "--at", found.substr(from, found.find(' ', from) - from)});
  EXPECT_EQ(waits_at(), "restore core to $target at $when") << shown();
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_TRUE(at("restore core to $target at $when").starts_with("done")) << shown();
  EXPECT_EQ(ask("SELECT count(*) FROM accounts"), "10");
  EXPECT_EQ(ask("SELECT count(*) FROM payments"), "401") << "all that was committed before it";
  EXPECT_TRUE(at("verify integrity, connectivity").starts_with("done: 5 of 5 checks passed"))
      << shown();
  as("manager");
  say_and_go_on({"approve"});
  as("ada");
  say_and_go_on({"step", "confirm", "primary"});
  EXPECT_EQ(ledger(), "provision-db.sh primary\npoint-services.sh primary\n") << shown();
  do_by_hand("write down: the incident");
  do_by_hand("rotate all");
  ends();
}

}  // namespace
}  // namespace lb::test
