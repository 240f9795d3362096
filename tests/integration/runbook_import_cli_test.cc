// A runbook written as Markdown becomes a plan by the real program: what it prints, writes and
// refuses.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

const std::string runbook =
    "# Recovery\n"
    "- **RPO:** 1 hour (exports run hourly)\n"
    "## Database loss\n"
    "1. Tell the team\n"
    "```bash\n"
    "# Stop\n"
    "docker compose stop web\n"
    "\n"
    "# Log in\n"
    "login --password=sesame99\n"
    "```\n"
    "- [ ] it runs (critical)\n"
    "## Odd\n"
    "- nobody knows what this is\n";

class RunbookImportCli : public testing::Test {
 protected:
  RunbookImportCli() : boat(LIFEBOAT_BINARY) { write_text(file, runbook); }
  bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  Lifeboat boat;
  const std::string file = boat / "recovery.md";
};

TEST_F(RunbookImportCli, PrintsThePlanAndSaysTheRestBesideIt) {
  auto done = boat.must({"runbook", "import", file});
  EXPECT_TRUE(has(done.out, "  database-loss:  # from recovery.md:3\n")) << done.out;
  EXPECT_TRUE(has(done.out, "- run: docker compose stop web  # from recovery.md:6\n"));
  EXPECT_TRUE(has(done.out, "        review: required\n"));
  EXPECT_TRUE(has(done.err, "1 runbooks, 0 phases, 4 steps, of them 1 checklists and 1 commands"));
  EXPECT_TRUE(has(done.err, "contradiction, line 2: an RPO of 1h under backups made hourly"));
  EXPECT_TRUE(has(done.err, "line 9: looks like a secret and was not copied"));
  EXPECT_TRUE(has(done.err, "not understood, line 14: item: nobody knows what this is"));
  EXPECT_FALSE(has(done.out + done.err, "sesame99"));
}

TEST_F(RunbookImportCli, WritesAPlanThatPlanCheckAccepts) {
  auto plan = boat / "imported.yaml";
  auto done = boat.must({"runbook", "import", file, "--out", plan, "--system", "shop"});
  EXPECT_TRUE(has(done.out, "wrote " + plan));
  EXPECT_TRUE(has(boat.must({"plan", "check", plan}).out, "ok: system shop"));
  auto before = read_text(plan);
  auto again = boat.run({"runbook", "import", file, "--out", plan});
  EXPECT_EQ(again.exit_code, 5) << "people have worked on it since";
  EXPECT_TRUE(has(again.err, "is there already and was left as it is")) << again.err;
  EXPECT_EQ(read_text(plan), before);
}

TEST_F(RunbookImportCli, TellsProgramsWhatBecameOfEachLine) {
  auto line = boat.must({"runbook", "import", file, "--json"}).summary();
  EXPECT_EQ(line["schema"].string(), "lifeboat.runbook-import/1");
  EXPECT_EQ(line["to_review"].integer(), 1);
  EXPECT_EQ(line["not_understood"].integer(), 1);
  EXPECT_EQ(line["contradictions"].items()[0]["lines"].items()[0].integer(), 2);
  EXPECT_EQ(line["pieces"].items().size(), 8U);
  EXPECT_EQ(line["pieces"].items()[3]["became"].string(), "runbook database-loss");
  EXPECT_TRUE(has(line["plan"].string(), "system: recovery\n"));
}

TEST_F(RunbookImportCli, RefusesWhatIsNoRunbook) {
  auto refused = [&](const std::string& text) {
    write_text(boat / "bad.md", text);
    auto done = boat.run({"runbook", "import", boat / "bad.md", "--out", boat / "bad.yaml"});
    EXPECT_EQ(done.exit_code, 2) << done.err;
    EXPECT_FALSE(std::filesystem::exists(boat / "bad.yaml"));
    return done.err;
  };
  EXPECT_TRUE(has(refused(""), "it holds no text"));
  EXPECT_TRUE(has(refused(std::string("\0\1", 2)), "zero bytes"));
  EXPECT_TRUE(has(refused(std::string(10'000'000, '#')), "bad.md"));
  EXPECT_EQ(boat.run({"runbook", "import", boat / "none.md"}).exit_code, 1);
  EXPECT_EQ(boat.run({"runbook", "import"}).exit_code, 2);
  EXPECT_EQ(boat.run({"runbook", "import", boat.folder()}).exit_code, 2);
}

// The plan of a page that knew nothing of Lifeboat, its references set and nothing else changed:
// it backs up a real server, restores the point into a sandbox and finds it whole.
TEST_F(RunbookImportCli, TheDrillOfAnImportedRunbookPassesOnARealServer) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start();
  server->sql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  server->sql("CREATE TABLE orders (id int PRIMARY KEY, buyer int REFERENCES people (id))");
  server->sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 1000) n");
  server->sql("INSERT INTO orders SELECT n, n FROM generate_series(1, 500) n");
  write_text(file,
             "# Recovery of the PostgreSQL database\n"
             "- **RPO:** 4 hours (hourly backups)\n"
             "## Scenario 1: Rows are gone\n1. Restore the backup before it\n"
             "## Testing\n- **Monthly Restore Drill:** restore into staging\n");
  auto plan = boat / "imported.yaml";
  boat.must({"runbook", "import", file, "--out", plan});
  boat.environment()["DATABASE_URL"] = server->conninfo();
  boat.environment()["LIFEBOAT_REPOSITORY"] = boat.repository();
  boat.must({"init", "--plan", plan});
  boat.must({"backup", "--plan", plan});
  auto drill = boat.must({"drill", "monthly-restore-drill", "--plan", plan, "--json"}).summary();
  EXPECT_EQ(drill["verdict"].string(), "PASS") << drill.dump(2);
  auto pages = boat.must({"runbook", "export", "--all", "--stored", "--plan", plan});
  EXPECT_TRUE(has(pages.out, "Restore the backup before it"));
}

}  // namespace
}  // namespace lb::test
