#include <gtest/gtest.h>

#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::read;

Explanation::Line line(const std::string& store, const std::vector<Measured>& measured = {},
                       const std::string& at = "/backups", const std::string& more = "") {
  auto out = read(cat("version: 1\nsystem: x\nrepository: {at: \"", at,
                      "\", key: env:K}\nstores:\n  s: {", store, "}\n", more));
  EXPECT_EQ(format_mistakes(out.mistakes, false), "");
  auto explained = explain(out.plan, measured, from_micros(1'800'000'000'000'000));
  EXPECT_EQ(explained.lines.size(), 1U);
  return explained.lines.at(0);
}

TEST(Explain, WorstLossIsGapPlusBackup) {
  auto out = line("files: /a, every: hourly, objective: {rpo: 2h, goal: 15m}");
  EXPECT_EQ(out.store, "s");
  EXPECT_EQ(out.worst_loss, Micros(minutes(70)));
  EXPECT_EQ(out.worst_loss_why,
            "longest gap 1 h + backup 10 min (assumed), stored while it is read");
  EXPECT_TRUE(out.meets_rpo);
  EXPECT_EQ(out.target_rpo, Micros(hours(2)));
  EXPECT_EQ(out.remark, "the goal of 15 min is out of reach with this schedule");
  EXPECT_FALSE(out.predicted_restore.has_value());
}

TEST(Explain, HourlyCannotMeetAnHour) {
  auto out = line("files: /a, every: hourly, objective: {rpo: 1h}", {{"s", seconds(30), {}}});
  EXPECT_FALSE(out.meets_rpo);
  EXPECT_EQ(out.worst_loss, Micros(hours(1) + seconds(30)));
  EXPECT_EQ(out.worst_loss_why,
            "longest gap 1 h + backup 30 s (measured), stored while it is read");
  EXPECT_EQ(out.remark, "hourly snapshots cannot meet an RPO of 1 h");
}

TEST(Explain, CountsTheBackupItself) {
  auto out = line("files: /a, every: 55m, objective: {rpo: 1h}");
  EXPECT_FALSE(out.meets_rpo);
  EXPECT_EQ(out.remark, "worst-case loss 1 h 5 min is over the RPO of 1 h");
}

TEST(Explain, CountsTheLongestGapOfTheCalendar) {
  auto out = line("files: /a, every: 0 8-18 * * mon-fri, objective: {rpo: 1d}");
  EXPECT_EQ(out.worst_loss, Micros(hours(62) + minutes(10)));
  EXPECT_EQ(out.remark, "0 8-18 * * mon-fri snapshots cannot meet an RPO of 1 d");
}

TEST(Explain, ALogLosesSeconds) {
  auto out = line("postgres: env:U, log: continuous, every: daily, objective: {rpo: 1m, goal: 5s}");
  EXPECT_EQ(out.worst_loss, Micros(seconds(5)));
  EXPECT_EQ(out.worst_loss_why, "log made durable every 5 s, stored while it is read");
  EXPECT_TRUE(out.meets_rpo);
  EXPECT_EQ(out.remark, "");
}

TEST(Explain, AFarRepositoryAddsTheUpload) {
  auto out = line("files: /a, every: hourly", {}, "s3://bucket/x");
  EXPECT_EQ(out.worst_loss, Micros(minutes(71)));
  EXPECT_EQ(out.worst_loss_why,
            "longest gap 1 h + backup 10 min (assumed) + upload 1 min (assumed)");
  EXPECT_FALSE(out.meets_rpo) << "no target, nothing met";
}

TEST(Explain, WithoutScheduleThereIsNoFigure) {
  auto out = line("files: /a", {}, "/b", "objectives: {rpo: 1h}\n");
  EXPECT_FALSE(out.worst_loss.has_value());
  EXPECT_FALSE(out.meets_rpo);
  EXPECT_EQ(out.remark, "no schedule: nothing is backed up unless someone asks for it");
}

TEST(Explain, PredictsOnlyFromMeasurements) {
  auto out = line("files: /a, every: hourly, objective: {rto: 1h}",
                  {{"s", {}, hours(2)}, {"other", {}, hours(9)}});
  EXPECT_EQ(out.predicted_restore, Micros(hours(2)));
  EXPECT_EQ(out.target_rto, Micros(hours(1)));
  EXPECT_EQ(out.remark, "the restore took 2 h, over the RTO of 1 h");
}

TEST(Explain, TakesTheStrictestDrillAsTarget) {
  auto out = line("files: /a, every: hourly", {}, "/b",
                  "targets: {t: {}, u: {}}\nchecks: {c: [{files: {count: recorded}}]}\n"
                  "drills:\n  a: {restore: s, into: t, checks: [c], objective: {rto: 4h}}\n"
                  "  b: {restore: s, into: u, checks: [c], objective: {rto: 2h}}\n");
  EXPECT_EQ(out.target_rto, Micros(hours(2)));
}

TEST(Explain, SaysThatAManifestIsNoContent) {
  auto out = line("bucket: \"s3://b\", mode: manifest, every: hourly");
  EXPECT_EQ(out.remark, "manifest only: content not recoverable");
}

TEST(Explain, WritesEveryDefault) {
  auto out = read(
      "include: more.yaml\n" + testing::small_plan,
      {{"more.yaml", "checks:\n  extra: [{count: [a, b]}, {manual: 'true'}]\nevidence: {}\n"}});
  ASSERT_EQ(format_mistakes(out.mistakes, false), "");
  auto yaml = explain(out.plan, {}, from_micros(0)).yaml;
  EXPECT_EQ(yaml, R"(version: 1
system: shop
repository:
  at: /backups
  key: env:KEY
stores:
  db:
    postgres: env:DATABASE_URL
    every: hourly
    optional: false  # default
  media:
    files: /srv/media
    every: hourly
    optional: false  # default
targets:
  production:
    protect: true
    wipe: false  # default
  sandbox:
    isolate: network
    url: http://localhost:8000
    protect: false  # default
    wipe: false  # default
checks:
  db:
    - tables: [users]
      critical: false  # default
  files:
    - files:
        count: recorded
      critical: false  # default
  extra:
    - count: [a, b]
      expect: recorded  # default
      critical: false  # default
    - manual: "true"
      critical: false  # default
evidence:
  keep: 3y  # default
  formats: [html, json, markdown]  # default
timezone: UTC  # default
)");
  auto again = read(yaml);
  EXPECT_EQ(format_mistakes(again.mistakes, false), "");
}

TEST(Explain, SaysWhatALockMeansForRetention) {
  auto out = read(replace_all(testing::small_plan, "at: /backups,",
                              R"(at: "s3://vault/app", immutable: 30d, retain: {daily: 7d},
  copies: [{at: "s3://west", immutable: 10d}, {at: "s3://east"}],)"));
  ASSERT_EQ(format_mistakes(out.mistakes, false), "");
  auto remarks = explain(out.plan, {}, parse_time("2026-01-13T02:00:00Z").take()).remarks;
  ASSERT_EQ(remarks.size(), 3U);
  EXPECT_NE(remarks[0].find("when 15 d are left"), std::string::npos) << remarks[0];
  EXPECT_NE(remarks[1].find("until its lock ends, 30 d later at most"), std::string::npos)
      << remarks[1];
  EXPECT_NE(remarks[2].find("s3://west: immutable"), std::string::npos) << remarks[2];
  EXPECT_NE(remarks[2].find("when 5 d are left"), std::string::npos) << remarks[2];
  EXPECT_TRUE(explain(read(testing::small_plan).plan, {}, Timestamp{}).remarks.empty());
}

}  // namespace
}  // namespace lb::plan
