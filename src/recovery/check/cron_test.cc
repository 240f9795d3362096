// cron on a real server. pg_cron itself is not needed: what counts is the table it keeps.
#include <gtest/gtest.h>

#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;

constexpr const char* cron_table =
    "CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, schedule text NOT "
    "NULL,"
    " command text NOT NULL, nodename text NOT NULL DEFAULT 'localhost', nodeport int NOT NULL"
    " DEFAULT 5432, database text NOT NULL DEFAULT current_database(), username text NOT NULL"
    " DEFAULT current_user, active boolean NOT NULL DEFAULT true, jobname name)";

class ScheduledBench : public CopyBench {
 public:
  ScheduledBench() {
    sql(cron_table);
    sql("INSERT INTO cron.job (jobname, schedule, command) VALUES"
        " ('send-reminders', '*/10 * * * *', 'SELECT send(''bearer a-secret-key'')'),"
        " ('expire-invites', '0 3 * * *', 'DELETE FROM invites')");
  }
};

class CronCheck : public PostgresTest {
 protected:
  static plan::CheckCron named() { return {{"send-reminders", "expire-invites"}, false}; }
  static plan::CheckCron all() { return {{}, true}; }
};

TEST_F(CronCheck, ListsEachScheduleWithItsNextTurn) {
  ScheduledBench bench;
  for (const auto& what : {named(), all()}) {
    auto right = bench.run_what(what);
    EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
    EXPECT_EQ(right.examined, 2u);
    EXPECT_EQ(right.store, "db");
    auto text = all_text(right);
    // The clock stands at 02:00 of 13 January.
    EXPECT_NE(text.find("send-reminders: */10 * * * *, next due 2026-01-13T02:10:00Z"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("expire-invites: 0 3 * * *, next due 2026-01-13T03:00:00Z"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("a-secret-key"), std::string::npos) << "commands hold credentials";
  }
}

struct Spoiled {
  std::string sql, says;
};

TEST_F(CronCheck, WhatWouldNotRunFails) {
  const Spoiled cases[] = {
      {"DELETE FROM cron.job WHERE jobname = 'expire-invites'", "expire-invites: missing"},
      {"UPDATE cron.job SET jobname = 'other' WHERE jobid = 1", "send-reminders: missing"},
      {"UPDATE cron.job SET active = false WHERE jobid = 2", "expire-invites: not active"},
      {"UPDATE cron.job SET schedule = 'daily 02:00' WHERE jobid = 2", "is no schedule of cron"},
      {"UPDATE cron.job SET schedule = '0 0 29 2 *' WHERE jobid = 2", "in more than 366 days"},
      {"UPDATE cron.job SET schedule = '0 0 31 2 *' WHERE jobid = 2", "never comes"},
      {"UPDATE cron.job SET database = 'gone' WHERE jobid = 2",
       "database gone, which is not there"},
      {"UPDATE cron.job SET username = 'left' WHERE jobid = 2", "runs as left"},
      {"UPDATE cron.job SET command = ' ; ' WHERE jobid = 2", "its command is empty"},
  };
  for (const auto& c : cases) {
    ScheduledBench bench;
    bench.sql(c.sql);
    auto result = bench.run_what(named());
    EXPECT_EQ(result.state, CheckState::fail) << c.sql << "\n" << all_text(result);
    EXPECT_NE(result.reason.find(c.says), std::string::npos) << result.reason;
    EXPECT_EQ(result.examined, 2u);
  }
}

TEST_F(CronCheck, AllNeedsOneAtLeast) {
  ScheduledBench bench;
  bench.sql("TRUNCATE cron.job");
  auto result = bench.run_what(all());
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  EXPECT_EQ(result.reason, "cron.job: holds no schedule: nothing was examined");
}

TEST_F(CronCheck, WithoutASchedulerNamedOnesAreMissingAndAllCannotBeTold) {
  CopyBench bench;
  auto missing = bench.run_what(named());
  EXPECT_EQ(missing.state, CheckState::fail) << all_text(missing);
  EXPECT_NE(missing.reason.find("has no scheduler: no table cron.job"), std::string::npos);
  auto untold = bench.run_what(all());
  EXPECT_EQ(untold.state, CheckState::error) << all_text(untold);
  EXPECT_NE(untold.reason.find("has no scheduler"), std::string::npos) << untold.reason;
}

TEST_F(CronCheck, ATableOfAnotherKindIsAnError) {
  CopyBench bench;
  bench.sql("CREATE SCHEMA cron; CREATE TABLE cron.job (id int)");
  EXPECT_EQ(bench.run_what(named()).state, CheckState::error);
}

// As pg_cron 1.2 had it.
TEST_F(CronCheck, JobsWithoutNamesAreReadToo) {
  ScheduledBench bench;
  bench.sql("ALTER TABLE cron.job DROP COLUMN jobname");
  auto result = bench.run_what(all());
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_NE(all_text(result).find("job 1: */10"), std::string::npos) << all_text(result);
  EXPECT_EQ(bench.run_what(named()).state, CheckState::fail);
}

TEST_F(CronCheck, RowsThatMayNotBeSeenAreAnError) {
  ScheduledBench bench;
  bench.sql(
      "DROP ROLE IF EXISTS cron_reader; CREATE ROLE cron_reader LOGIN;"
      "GRANT USAGE ON SCHEMA cron TO cron_reader; GRANT SELECT ON cron.job TO cron_reader;"
      "ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY own ON cron.job USING (username = current_user)");
  bench.store().connection += " user=cron_reader";
  auto result = bench.run_what(all());
  EXPECT_EQ(result.state, CheckState::error) << all_text(result);
}

}  // namespace
}  // namespace lb::check
