// Whole drill records for the tests of this folder: one of each verdict, and a history before one.
// Only tests include this.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "model/record/drill_record.h"

namespace lb::report {

inline Timestamp sample_time(double seconds) {
  return from_micros(1'795'248'000'000'000 + static_cast<std::int64_t>(seconds * 1e6));
}

inline Micros sample_seconds(double seconds) {
  return Micros(static_cast<std::int64_t>(seconds * 1e6));
}

inline record::Stage sample_stage(const std::string& name, double from, double took,
                                  std::uint64_t bytes = 0, const std::string& store = {}) {
  record::Stage stage;
  stage.name = name;
  stage.store = store;
  stage.started = sample_time(from);
  stage.took = sample_seconds(took);
  stage.bytes = bytes;
  return stage;
}

inline record::CheckResult sample_check(const std::string& suite, const std::string& name,
                                        const std::string& kind, const std::string& expected,
                                        const std::string& got, std::uint64_t examined, double at) {
  record::CheckResult check;
  check.suite = suite;
  check.name = name;
  if (suite != "api") check.store = suite == "db" ? "db" : "media";
  check.kind = kind;
  check.state = record::CheckState::pass;
  check.expected = expected;
  check.got = got;
  check.examined = examined;
  check.started = sample_time(at);
  check.took = sample_seconds(0.12);
  check.place = "lifeboat.yaml:31:7";
  return check;
}

inline std::vector<record::StoreResult> sample_stores() {
  record::StoreResult db;
  db.store = "db";
  db.kind = "postgres";
  db.point = "01kd2m8q6v3r5t7w9y1z3b5d7f";
  db.point_taken = sample_time(-1800);
  db.reached = sample_time(-3.214);
  db.reached_note = "commit at or before LSN 0/5A3F28 on timeline 1";
  db.measured_rpo = sample_seconds(3.214);
  db.measured_restore = sample_seconds(9.8);
  db.target_rpo = std::chrono::hours(24);
  db.goal = std::chrono::hours(1);
  db.worst_case_loss = Seconds(5);
  db.target_rto = std::chrono::hours(4);
  db.bytes = 231'000'000;
  db.items = 1'204;
  db.checks_passed = 5;
  db.checks_total = 5;
  record::StoreResult media = db;
  media.store = "media";
  media.kind = "files";
  media.point = "01kd2m9aa1r5t7w9y1z3b5d7fg";
  media.reached = sample_time(-1790);
  media.reached_note = "start of the snapshot";
  media.measured_rpo = sample_seconds(1790);
  media.measured_restore = sample_seconds(4.4);
  media.worst_case_loss = std::chrono::minutes(62);
  media.bytes = 52'000'000;
  media.items = 812;
  media.checks_passed = 1;
  media.checks_total = 1;
  return {db, media};
}

inline std::vector<record::CheckResult> sample_checks() {
  std::vector<record::CheckResult> checks = {
      sample_check("db", "tables", "tables", "4 tables", "4 tables", 4, 12.6),
      sample_check("db", "count users", "count", "recorded: 20,412", "20,412", 20'412, 13),
      sample_check("db", "fresh content_jobs.created_at", "fresh", "a newest row",
                   "2026-11-21 07:59:57 UTC", 1, 15),
      sample_check("db", "foreign keys", "foreign_keys", "all valid", "9 of 9 valid", 1'204'551,
                   16),
      sample_check("db", "orphaned jobs", "sql", "0", "0", 1, 18),
      sample_check("files", "references", "references", "0 missing", "0 missing", 812, 19),
      sample_check("api", "GET /health", "http", "status 200 within 2 s", "200 in 12 ms", 1, 21),
      sample_check("api", "POST /v1/auth/login", "http", "status 200", "200 in 31 ms", 1, 22.17)};
  checks[2].newest = sample_time(-3.214);
  checks[3].evidence = {"content_jobs_user_id_fkey: 240,118 rows, 0 broken",
                        "content_artifacts_job_id_fkey: 964,433 rows, 0 broken"};
  checks[6].critical = true;
  return checks;
}

// What a drill of a runbook adds.
inline void add_runbook(record::DrillRecord& record) {
  record.runbook = "db-loss";
  record.steps = {
      {1, "decision of lead", "", "", "go", "done", sample_seconds(40), std::nullopt},
      {2, "restore db to production", "", "dba", "db into the sandbox", "done", sample_seconds(12),
       sample_seconds(9)},
      {3, "verify db", "", "", "4 of 5 checks passed", "failed", sample_seconds(6),
       sample_seconds(5)},
      {4, "docker compose start api", "", "devops", "it would reach something outside the sandbox",
       "held", std::nullopt, std::nullopt}};
  record.deviations = {"step 3 (verify db) failed: 4 of 5 checks passed"};
  record.roles = {{"lead", "decides", {1}, {"ada (lead)"}},
                  {"dba", "does", {2}, {}},
                  {"team", "is told", {5}, {}}};
  record.decisions = {{1,
                       "lead",
                       "approved",
                       "ada (lead)",
                       "go",
                       sample_time(40),
                       {"point: 01kd2m8q6v3r5t7w9y1z3b5d7f", "target: sandbox"}}};
  record.tasks = {{"Find out why step 3 (verify db) failed in the drill", "dba", sample_time(9e5)}};
}

inline record::DrillRecord passing_drill() {
  record::DrillRecord record;
  record.id = "01kd2nj0c4r5t7w9y1z3b5d7fh";
  record.system = "content-crew";
  record.drill = "full";
  record.started_by = "root (by hand)";
  record.host = "backup-1";
  record.version = "0.1.0";
  record.plan_file = "lifeboat.yaml";
  record.plan_fingerprint = "sha256:5f2c8d1e0a9b7c6d5e4f3a2b1c0d9e8f";
  record.repository = "9c1f…  directory /srv/backups/content-crew";
  record.started = sample_time(0);
  record.ended = sample_time(24.6);
  record.loss_moment = sample_time(0);
  record.loss_note = "start of the drill";
  record.target = "sandbox";
  record.point_wanted = "latest";
  record.verdict = record::Verdict::pass;
  record.reason = "all 8 checks passed, every objective met";
  record.stores = sample_stores();
  record.stages = {sample_stage("choose", 0, 0.3),
                   sample_stage("preflight", 0.3, 0.6),
                   sample_stage("restore", 0.9, 6.1, 231'000'000, "db"),
                   sample_stage("restore", 0.9, 4.4, 52'000'000, "media"),
                   sample_stage("replay", 7.0, 3.7, 48'000'000, "db"),
                   sample_stage("start api", 10.7, 1.9),
                   sample_stage("check db", 12.6, 6.2),
                   sample_stage("check files", 18.8, 2.1),
                   sample_stage("check api", 20.9, 1.4),
                   sample_stage("clean up", 23.1, 1.5)};
  record.checks = sample_checks();
  record.isolation = {{"network namespace: loopback only, no route to any other host",
                       "mount namespace: /run, /var/run and /tmp of the host hidden",
                       "user postgres (uid 107), no capability, environment cleared",
                       "memory limit 2 GiB (cgroup v2)"},
                      2,
                      {"10.1.2.3:443 tcp", "192.0.2.53:53 udp"},
                      "counted by nftables in the sandbox"};
  record.measured_rpo = sample_seconds(1790);
  record.measured_rto = sample_seconds(22.29);
  record.target_rpo = std::chrono::hours(24);
  record.target_rto = std::chrono::hours(8);
  record.goal = std::chrono::hours(1);
  record.findings = {{"note", "2 outbound attempts were blocked",
                      "Expected when a service calls out at start; make sure none is needed."}};
  record.next_due = sample_time(90.0 * 86400);
  record.journal = {"2026-11-21T08:00:00Z  intent  Drill full into sandbox",
                    "2026-11-21T08:00:24Z  outcome  PASS: all 8 checks passed"};
  record.cleaned_up = true;
  return record;
}

inline record::DrillRecord failing_drill() {
  auto record = passing_drill();
  record.id = "01kd2nj0c4r5t7w9y1z3b5dfail";
  record.verdict = record::Verdict::fail;
  record.reason = "1 failed, 1 could not run, 1 skipped of 8 checks";
  auto& orphans = record.checks[4];
  orphans.state = record::CheckState::fail;
  orphans.got = "3";
  orphans.reason = "expected 0, got 3: rows of content_jobs without a user";
  orphans.evidence = {"id=7  user_id=99", "id=8  user_id=<script>alert('x')</script>",
                      std::string("bytes \x01\xff and a very long word ") + std::string(180, 'w')};
  record.checks[6].state = record::CheckState::error;
  record.checks[6].got = "";
  record.checks[6].reason = "connection refused: 127.0.0.1:8000";
  record.checks[7].state = record::CheckState::skipped;
  record.checks[7].got = "";
  record.checks[7].reason = "an earlier check of the chain did not pass";
  record.stages[8].ok = false;
  record.stages[8].note = "1 failed, 1 could not run";
  record.stores[1].target_rpo = std::chrono::minutes(15);
  record.stores[1].rpo_met = false;
  record.stores[0].target_rto = Seconds(11);
  record.findings = {{"note", "2 outbound attempts were blocked", ""},
                     {"warning", "Check api / GET /health could not run", "Mend the sandbox."},
                     {"failure", "Check db / orphaned jobs failed: 3 <rows> & \"quotes\"",
                      "Compare the evidence with production."}};
  return record;
}

inline record::DrillRecord inconclusive_drill() {
  auto record = passing_drill();
  record.id = "01kd2nj0c4r5t7w9y1z3b5dinc0";
  record.verdict = record::Verdict::inconclusive;
  record.reason =
      "start api: the service api did not answer on http://localhost:8000 within 1 min: extension "
      "pgvector is not installed in the sandbox, and the log of the service ends with a very long "
      "line that the report must carry without breaking its layout";
  record.checks.clear();
  record.stages.resize(6);
  record.stages[5].ok = false;
  record.stages[5].took = Seconds(60);
  record.stages[5].note = "limit of 1 min passed";
  record.ended = sample_time(72);
  record.measured_rto.reset();
  record.isolation = {};
  record.findings = {{"warning", "start api did not finish", "Install pgvector and run again."}};
  record.next_due.reset();
  record.cleaned_up = false;
  for (auto& store : record.stores) store.checks_passed = store.checks_total = 0;
  return record;
}

inline record::AuditedMoment sample_moment(double at, double begins, record::Verdict verdict) {
  record::AuditedMoment moment;
  moment.moment = sample_time(at);
  moment.verdict = verdict;
  moment.started = sample_time(begins);
  moment.took = sample_seconds(4.5);
  if (verdict != record::Verdict::pass) {
    moment.reason =
        "choose: store db: it lies in a <hole> of the log: WAL 00000001000000000000000A";
    return moment;
  }
  moment.measured_rto = sample_seconds(3 + begins / 10);
  moment.checks_passed = moment.checks_total = 2;
  record::MomentStore store;
  store.store = "db";
  store.kind = "postgres";
  store.point = "01kd2m8q6v3r5t7w9y1z3b5d7f";
  store.point_taken = sample_time(-90'000);
  store.reached = sample_time(at - 0.25);
  store.next_commit = sample_time(at + 1.5);
  store.replay = sample_seconds(1.2);
  store.log_bytes = 16 << 20;
  moment.stores = {store};
  return moment;
}

// Four moments of a day; the third lies in a hole of the log.
inline record::DrillRecord audit_drill(record::Verdict third) {
  using record::Verdict;
  auto record = passing_drill();
  record.drill = "audit";
  record.verdict = third;
  record.reason = third == Verdict::pass ? "all 4 moments were reached and proven"
                                         : "1 of 4 moments failed; the first is ...";
  record.stores.resize(1);
  record.stores[0].measured_rpo.reset();
  record.stores[0].target_rpo.reset();
  record.measured_rpo.reset();
  record.target_rpo.reset();
  record.checks.resize(2);
  auto& audit = record.audit.emplace();
  audit.window = std::chrono::hours(24);
  audit.from = sample_time(-86'400);
  audit.to = sample_time(-10);
  audit.seed = 4711;
  audit.samples = 4;
  audit.moments = {sample_moment(-80'000, 1, Verdict::pass),
                   sample_moment(-60'000, 6, Verdict::pass), sample_moment(-30'000, 11, third),
                   sample_moment(-1'000, 16, Verdict::pass)};
  if (third == Verdict::fail) {
    audit.gaps = {{sample_time(-40'000), sample_time(-20'000),
                   "db cannot go to any moment between here & there"}};
  }
  record.measured_rto = audit.moments[3].measured_rto;
  return record;
}

// `count` earlier drills, a month apart, of every verdict; the newest is a month before `record`.
inline std::vector<record::DrillRecord> history_of(const record::DrillRecord& record, int count) {
  std::vector<record::DrillRecord> out;
  for (int back = count; back > 0; --back) {
    auto old = passing_drill();
    const auto shift = std::chrono::hours(24 * 30 * back);
    old.id = cat("01kold", back);
    old.started = record.started - shift;
    old.ended -= shift;
    old.loss_moment -= shift;
    const Micros more = Seconds(back % 5 * 2);
    for (auto& store : old.stores) *store.reached -= shift + Seconds(back % 4 * 90);
    for (auto& check : old.checks) check.started += more - shift;
    for (auto& store : old.stores) store.measured_rpo.reset();
    old.measured_rpo.reset();
    old.measured_rto.reset();
    if (back % 5 == 3) old.verdict = record::Verdict::fail;
    if (back % 7 == 6) {
      old.verdict = record::Verdict::inconclusive;
      old.checks.clear();
    }
    out.push_back(old);
  }
  return out;
}

}  // namespace lb::report
